"""Families: items that differ in size, colour or seller only. Where the shop names none, the title tells: "Milk 1 l" and "Milk 0.5 l".

A wrong family hides an item, a missing one shows a look-alike: in doubt items stay apart. Percentages are kinds (milk of 1.5 % and 3.5 %),
bare numbers are models (Air 90 and Air 95), and a colour in front of a name is a kind too (green tea, red wine).
"""

import polars as pl

_NUMBER = r"\d+(?:[.,]\d+)?"
_UNITS = (
    r"(?:fl\.? ?oz|ml|cl|dl|l|lt|ltr|lit(?:er|re)s?|mg|g|gr|grams?|gramm|kg|kilos?|oz|ounces?|lbs?|pounds?|pints?|qt|gal(?:lons?)?"
    r"|mm|cm|ft|inch(?:es)?|zoll|gb|tb|stueck|stück|stk|st|pcs?|pieces?|pi[eè]ces?|er|ct|count|packs?|pk|pack(?:ung|ungen)|rolls?|rollen"
    r"|bags?|beutel|tabs?|tablets?|tabletten|capsules?|kapseln|sachets?|cans?|dosen|bottles?|flaschen)"
)
_SIZE_WORDS = r"(?:xxs|xs|xl|xxl|xxxl|\dxl|\dxs)"
_COLOURS = (
    r"(?:(?:light|dark|hell|dunkel|pale|deep)?(?:black|white|red|blue|green|yellow|orange|pink|purple|violet|brown|gr[ae]y|beige|navy|turquoise"
    r"|teal|khaki|ivory|cream|gold|golden|silver|bronze|burgundy|maroon|olive|lilac|mint|coral|charcoal|multicolou?r(?:ed)?"
    r"|schwarz|wei(?:ß|ss)|rot|blau|gr(?:ü|ue)n|gelb|rosa|lila|violett|braun|grau|t(?:ü|ue)rkis|silbern?|bunt|creme"
    r"|noir|blanc|rouge|bleu|vert|jaune|marron|gris|negro|blanco|rojo|azul|verde|amarillo|nero|bianco|rosso|blu|giallo|zwart|wit|rood|blauw|groen))"
)
_GARMENT = rf"(?:(?:^| ){_SIZE_WORDS}(?: |$)| [sml]$)"

_STEPS: tuple[tuple[str, str], ...] = (
    # A percentage is glued together, so that nothing below takes its number.
    (rf"({_NUMBER}) ?%", "${1}%"),
    (r"[^\p{L}\p{N}%.,]+", " "),
    (r"[.,](?P<after>\D|$)", " ${after}"),
    (r"(\d),(\d)", "${1}.${2}"),
    (rf"\b(?:pack|set|box|case|bag)s? of \d+(?: ?{_UNITS})?\b", " "),
    # 6 x 330 ml, 10 x 20 x 30 cm, 500 g, 6er pack, and 2 x in front of a name; an x beside a bare number is a model.
    (rf"\b(?:{_NUMBER} ?x ?)*{_NUMBER} ?{_UNITS}(?: ?(?:pack|packung|set|box))?(?:\b|$)", " "),
    (r"\b\d+m\b", " "),
    (r"^ ?\d+ ?x ", " "),
    (rf"\b(?:size|gr(?:ö|oe)(?:ß|ss)e|taille|talla|taglia|maat|eu|uk|us) (?:{_NUMBER}|[sml]\b|{_SIZE_WORDS}\b)", " xl "),
    (r"\bone size\b", " xl "),
    (r" +", " "),
)


def family_ids(items: pl.DataFrame) -> pl.Series:
    """The family of each item: what the shop says, else brand, finest category and title without sizes, colours, units and counts.

    Args:
        items: canonical items; reads item_id, title, category_path, brand and, where it is there, family_id.

    Returns:
        String [n], never null; the same text for the items of one family. An item whose title is nothing but a size has one of its own.
    """
    given = pl.col("family_id") if "family_id" in items.columns else pl.lit(None, dtype=pl.String)
    brand = _words(pl.col("brand").fill_null(""))
    title = _stripped(_words(pl.col("title").fill_null("")))
    known = items.select(
        given.replace("", None).alias("given"),
        pl.col("item_id"),
        brand.alias("brand"),
        pl.col("category_path").list.join("\x1f").fill_null("").alias("category"),
        title.alias("title"),
    )
    alone = pl.concat_str(pl.lit("item"), "item_id", separator="\x1f")
    named = pl.concat_str("brand", "category", "title", separator="\x1f")
    derived = pl.when(pl.col("title") == "").then(alone).otherwise(named)
    return known.select(pl.coalesce("given", derived).alias("family_id")).to_series()


def _words(text: pl.Expr) -> pl.Expr:
    """Lower case, in one form of Unicode."""
    return text.str.normalize("NFKC").str.to_lowercase()


def _stripped(title: pl.Expr) -> pl.Expr:
    for pattern, value in _STEPS:
        title = title.str.replace_all(pattern, value)
    title = title.str.strip_chars()
    # Whoever sells a garment in sizes sells it in colours, wherever the name has them.
    garment = title.str.contains(_GARMENT)
    anywhere = title.str.replace_all(rf"\b(?:{_COLOURS}|{_SIZE_WORDS})\b", " ").str.replace_all(" +", " ").str.strip_chars()
    title = pl.when(garment).then(anywhere).otherwise(title)
    return title.str.replace(rf"(?: (?:{_COLOURS}|{_SIZE_WORDS}|[sml]|and|und))+$", "").str.strip_chars()
