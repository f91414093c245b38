"""Product names for people, made from till shorthand such as `SFT DRNK 2 LITER BTL CARB INCL` and `FRZN BREAKFAST ENTREES/SANDWIC`."""

import re

_WORDS = {
    "APPLS": "Apples",
    "BKD": "Baked",
    "BN": "Bean",
    "BRD": "Bread",
    "BRKFST": "Breakfast",
    "BTL": "Bottle",
    "BTR": "Butter",
    "CAN": "Can",
    "CARB": "Carbonated",
    "CHIX": "Chicken",
    "CHICK": "Chicken",
    "CHOC": "Chocolate",
    "CKYS": "Cookies",
    "CLEANG": "Cleaning",
    "CND": "Canned",
    "CNDY": "Candy",
    "CNTRL": "Central",
    "CONC": "Concentrate",
    "CONT": "Contributions",
    "CRBNTD": "Carbonated",
    "CRKR": "Crackers",
    "CRMD": "Creamed",
    "CRYSTL": "Crystal",
    "DISPOSIBLE": "Disposable",
    "DNR": "Dinner",
    "DNRS": "Dinners",
    "DRNK": "Drink",
    "DRNKING": "Drinking",
    "DRNKNG": "Drinking",
    "DRNKS": "Drinks",
    "DRSNG": "Dressing",
    "DSH": "Dishes",
    "ELECT": "Electrical",
    "EX": "Except",
    "FD": "Food",
    "FEM": "Feminine",
    "FLVR": "Flavored",
    "FLVRD": "Flavored",
    "FRD": "Fried",
    "FRZ": "Frozen",
    "FRZN": "Frozen",
    "GDS": "Goods",
    "GRND": "Ground",
    "HYGN": "Hygiene",
    "INCL": "Included",
    "JCE": "Juice",
    "MACH": "Machine",
    "MALTED": "Malted",
    "MFG": "Manufacturer",
    "MISC": "Miscellaneous",
    "MIXS": "Mixes",
    "MLK": "Milk",
    "MLT-PK": "Multi-Pack",
    "MNERAL": "Mineral",
    "MNRL": "Mineral",
    "MULTIGRAIN": "Multigrain",
    "MXS": "Mixes",
    "NDAIRY": "Non-Dairy",
    "PCKGD": "Packaged",
    "PK": "Pack",
    "PKG": "Package",
    "PKGD": "Packaged",
    "PKLD": "Pickled",
    "PLSTC": "Plastic",
    "PNCH": "Punch",
    "PNT": "Peanut",
    "PREP": "Prepared",
    "PROD": "Produce",
    "PRPCK": "Prepack",
    "PWDR": "Powder",
    "PWDRS": "Powders",
    "REFRGRATD": "Refrigerated",
    "REFRIG": "Refrigerated",
    "RTS": "Ready-to-Serve",
    "SAL": "Salad",
    "SALD": "Salad",
    "SAUS": "Sausage",
    "SFT": "Soft",
    "SGL": "Single",
    "SHERBTS": "Sherbets",
    "SNDWCH": "Sandwich",
    "SNGL": "Single",
    "SNKS": "Snacks",
    "SPECILATY": "Specialty",
    "SPLY": "Supply",
    "SPRD": "Spread",
    "SRV": "Serve",
    "SS": "Single-Serve",
    "STK": "Stick",
    "SUP": "Supplies",
    "SUPPPLIES": "Supplies",
    "SV": "Serve",
    "SW": "Sweet",
    "SWEETNERS": "Sweeteners",
    "SYRP": "Syrup",
    "TISS": "Tissue",
    "TORT": "Tortilla",
    "TRSH": "Trash",
    "VAC": "Vacuum",
    "VEG": "Vegetable",
    "VEND": "Vending",
    "WHL": "Whole",
    "WHLSM": "Wholesome",
    "WHS": "Warehouse",
    "WTR": "Water",
    "XMAS": "Christmas",
    "XPCTRNT": "Expectorant",
}
_CAPITALS = {"BBQ", "DVD", "GM", "HBC", "IQF", "IWS", "OJ", "TV", "UHT"}
_SMALL = {"AND", "BY", "FOR", "IN", "OF", "ON", "OR", "THE", "TO", "WITH"}
_BROKEN_OFF = re.compile(r"\s*\([^()]*$")
_WORD = re.compile(r"[A-Z0-9']+(?:-PK\b)?")
_SPACES = re.compile(r"\s+")

_KIND_WORDS = """
    ADULT ALL ANGUS BASIC BEEF BETTER BLENDS BREAST BULK CHOICE COOKED DRY ECONOMY ENHANCED FOR FRESH FROZEN FULL GARDEN GROUND KIDS LARGE
    LEAN LINKS LIGHT MAINSTREAM MEAT MEDIUM MISC MISCELLANEOUS MULTI NATURAL OTHER PATTIES PINTS PLUS POPULAR POULTRY PREMIUM PRIMAL RAW
    REGULAR SEASONAL SELECT SELECTS SINGLE SMOKED SPECIALTY STICKS STYLE SUPER TRADITIONAL VALUE VARIETY WHOLE YOU
"""
_KINDS_WITHOUT_THING = frozenset(_KIND_WORDS.split())
"""A product type made of these words alone says what kind it is, not what thing: its category is put before it."""


def readable(text: str) -> str:
    """Till shorthand in words and title case; a parenthesis that the till's 30 characters broke off is left out.

    >>> readable("FRZN MEAT/MEAT DINNERS")
    'Frozen Meat/Meat Dinners'
    """
    whole = _BROKEN_OFF.sub("", text.upper().replace("`", "'"))
    spaced = re.sub(r"\s*&\s*", " & ", re.sub(r"\s*:\s*", ": ", whole))
    words = _SPACES.sub(" ", _WORD.sub(lambda found: _word(found.group(), first=found.start() == 0), spaced)).strip(" -/,;:")
    return words or text.strip()


def readable_size(size: str) -> str | None:
    """A package size in lower case, without the till's case counts and layout codes; None when nothing is left.

    >>> readable_size("L      8 OZ")
    '8 oz'
    """
    plain = re.sub(r"^\(\d+\)\s*|^L\s+(?=\d)", "", size.strip())
    if not plain or re.search(r"\d{6}", plain):
        return None
    return _SPACES.sub(" ", plain).lower().removeprefix("/").strip() or None


def title(product_type: str | None, category: str | None, department: str, size: str | None) -> str:
    """A product's name: what it is, and its package size when known."""
    if product_type is None:
        name = readable(category or department)
    elif category and set(re.findall(r"[A-Z0-9]+", product_type.upper())) <= _KINDS_WITHOUT_THING:
        name = f"{readable(category)} - {readable(product_type)}"
    else:
        name = readable(product_type)
    shown = readable_size(size) if size else None
    return f"{name}, {shown}" if shown else name


def _word(word: str, *, first: bool) -> str:
    if word in _WORDS:
        return _WORDS[word]
    if word in _CAPITALS or any(letter.isdigit() for letter in word):
        return word.lower() if any(letter.isdigit() for letter in word) else word
    if word in _SMALL and not first:
        return word.lower()
    return word.capitalize()
