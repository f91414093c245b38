"""Product names for people, made from till shorthand such as `SFT DRNK 2 LITER BTL CARB INCL` and `FRZN BREAKFAST ENTREES/SANDWIC`."""

import re
from functools import lru_cache

_PHRASES = {
    "ASEPTIC PACK JUICE AND DRINKS": "Juice and Drink Boxes",
    "BEERALEMALT LIQUORS": "Beer, Ale & Malt Liquor",
    "CANDY BAGS-CHOCOCLATE": "Chocolate Candy Bags",
    "CHARITABLE CONT": "Charitable Contributions",
    "CNTRL/STORE SUP": "Store Supplies",
    "DAIRY CASE 100% PURE JUICE - O": "Chilled 100% Orange Juice",
    "DAIRY CASE JUICE DRNK UNDER 10": "Chilled Juice Drink",
    "DRUG GM": "Drug & General Merchandise",
    "FLUID MILK WHITE ONLY": "White Milk",
    "FRZN MULTI SERVE ENTREES ALL": "Frozen Multi-Serve Entrees",
    "FRZN SS PREMIUM ENTREES/DNRS/N": "Frozen Premium Single-Serve Meals",
    "FRZN SS PREMIUM ENTREES/DNRS/T": "Frozen Premium Single-Serve Dinners",
    "GASOLINE-REG UNLEADED": "Gasoline - Regular Unleaded",
    "GM MERCH EXP": "General Merchandise",
    "MEAT-PCKGD": "Packaged Meat",
    "MEXICAN SAUCESSALSAPICANTEE": "Mexican Sauces, Salsa & Picante",
    "NATURAL CHEESE EXACT WT CHUNKS": "Natural Cheese Chunks",
    "NATURAL CHEESE EXACT WT SLICES": "Natural Cheese Slices",
    "NON-CARB FLVRD DRNKNG/MNRL WAT": "Still Flavored Water",
    "NON-CRBNTD DRNKING/MNERAL WATE": "Still Drinking Water",
    "PLSTC CTLRYTBLCLTHSTTHPKSST": "Plastic Cutlery, Tablecloths & Toothpicks",
    "PROD-WHS SALES": "Produce Warehouse Sales",
    "RTS SOUP: CHUNKY/HOMESTYLE ET": "Ready-to-Serve Soup: Chunky/Homestyle",
    "SEAFOOD-PCKGD": "Packaged Seafood",
    "SEMI-SOLID SALAD DRESSING MAY": "Mayonnaise & Salad Dressing",
    "SFT DRNK 2 LITER BTL CARB INCL": "Soft Drinks, 2-Liter Bottle",
    "SFT DRNK MLT-PK BTL CARB (EXCP": "Soft Drinks, Bottle Multi-Pack",
    "SFT DRNK SNGL SRV BTL CARB (EX": "Soft Drinks, Single Bottle",
    "SGL SV/VEND MACH SNACKS CHIP/P": "Single-Serve Snacks",
    "SOFT DRINKS 12/18&15PK CAN CAR": "Soft Drinks, 12-18 Cans",
    "SOFT DRINKS 20PK&24PK CAN CARB": "Soft Drinks, 20-24 Cans",
    "SS ECONOMY ENTREES/DINNERS ALL": "Frozen Economy Single-Serve Meals",
    "YOGURT NOT MULTI-PACKS": "Yogurt",
}
"""Names that no rule makes readable; the till cuts them after 30 characters."""

_TILL_WIDTH = 30
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
    "SANDWIC": "Sandwiches",
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
_CASE = re.compile(r"(?:\d+-)?(?:[1-9]\d+)(?:\.\d+)? (?:LB|CT)")
"""Sizes of 10 pounds or pieces and more are those of the crate when they stand at fresh produce."""
_SPACES = re.compile(r"\s+")

_KIND_WORDS = """
    ADULT ALL ANGUS BASIC BEEF BETTER BLENDS BREAST BULK CHOICE COOKED DRY ECONOMY ENHANCED FOR FRESH FROZEN FULL GARDEN GROUND KIDS LARGE
    LEAN LINKS LIGHT MAINSTREAM MEAT MEDIUM MISC MISCELLANEOUS MULTI NATURAL OTHER PATTIES PINTS PLUS POPULAR POULTRY PREMIUM PRIMAL RAW
    REGULAR SEASONAL SELECT SELECTS SINGLE SMOKED SPECIALTY STICKS STYLE SUPER TRADITIONAL VALUE VARIETY WHOLE YOU
"""
_KINDS_WITHOUT_THING = frozenset(_KIND_WORDS.split())
"""A product type made of these words alone says what kind it is, not what thing: its category is put before it."""


@lru_cache(maxsize=8192)
def readable(text: str) -> str:
    """Till shorthand in words and title case; a parenthesis that the till's 30 characters broke off is left out.

    >>> readable("FRZN MEAT/MEAT DINNERS")
    'Frozen Meat/Meat Dinners'
    """
    if text in _PHRASES:
        return _PHRASES[text]
    if len(text) == _TILL_WIDTH:
        text = re.sub(r"[ /]\S{1,2}$", "", text)
    whole = _BROKEN_OFF.sub("", re.sub(r"\b(WOMEN|MEN|CHILDREN) S\b", r"\1'S", text.upper()))
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
    elif category and category not in product_type and set(re.findall(r"[A-Z0-9]+", product_type)) <= _KINDS_WITHOUT_THING:
        name = f"{readable(category)} - {readable(product_type)}"
    else:
        name = readable(product_type)
    shown = readable_size(size) if size and not (department == "PRODUCE" and _CASE.fullmatch(size.strip())) else None
    return f"{name}, {shown}" if shown else name


def _word(word: str, *, first: bool) -> str:
    if word in _WORDS:
        return _WORDS[word]
    if word in _CAPITALS or any(letter.isdigit() for letter in word):
        return word.lower() if any(letter.isdigit() for letter in word) else word
    if word in _SMALL and not first:
        return word.lower()
    return word.capitalize()
