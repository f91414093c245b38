"""Numbers as people and shops write them, as plain text that a parser reads."""

import re

import polars as pl

from endcap.dataset.sources.columns.reading import only_where
from endcap.dataset.sources.columns.value_format import ValueFormat

_BLANKS = " \u00a0\u202f\u2009"
_APOSTROPHES = "'\u2019"


def plain_numbers(text: pl.Series, mapped: ValueFormat) -> pl.Series:
    """Texts with `.` before the decimals and no other sign; null where digits are grouped otherwise than in threes, or it is no number.

    Args:
        text: trimmed texts.
    """
    if not (mapped.decimal_comma or mapped.thousands or mapped.currency_signs):
        return text
    decimal = "," if mapped.decimal_comma else "."
    grouping = _grouping(mapped)
    whole = rf"\d{{1,3}}(?:[{re.escape(grouping)}]\d{{3}})+|\d+" if grouping else r"\d+"
    signs = "|".join(re.escape(sign.strip()) for sign in sorted(mapped.currency_signs, key=len, reverse=True))
    currency = rf"(?:(?:{signs})\s*)?" if signs else ""
    after = rf"\s*(?:{signs})?" if signs else ""
    fraction = re.escape(decimal)
    parts = text.str.extract_groups(
        rf"^([+\-\u{{2212}}]?)\s*{currency}([+\-\u{{2212}}]?)((?:{whole})(?:{fraction}\d*)?|{fraction}\d+)((?:[eE][+-]?\d+)?){after}$"
    )
    before, after_currency, digits, exponent = (parts.struct.field(str(number)) for number in (1, 2, 3, 4))
    for sign in grouping:
        digits = digits.str.replace_all(sign, "", literal=True)
    minus = (before + after_currency).str.replace_all("\u2212", "-", literal=True)
    written = minus + digits.str.replace(decimal, ".", literal=True) + exponent
    return only_where(minus.str.len_chars() <= 1, written)


def _grouping(mapped: ValueFormat) -> str:
    """The signs that may stand between groups of three digits."""
    if mapped.thousands is None:
        return "." if mapped.decimal_comma else ""
    return next((kinds for kinds in (_BLANKS, _APOSTROPHES) if mapped.thousands in kinds), mapped.thousands)
