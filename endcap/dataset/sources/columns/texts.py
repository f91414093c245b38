"""Texts and ids as they are meant: trimmed, whole numbers without decimals, and nothing where a word stands for nothing."""

import polars as pl

from endcap.dataset.sources.columns.reading import first_of, only_where
from endcap.dataset.sources.columns.value_format import ValueFormat

USUAL_NULLS = ("", "null", "(null)", "<null>", "nan", "none", "n/a", "#n/a", "na", "<na>", "nil", "undefined", "\\n")
"""In lower case: what programs write for no value, in every column but those of `LITERAL` and `ITEMS`."""

LITERAL = ("title", "query")
"""Columns in which a word may be meant as it stands: a book called None, a search for NA."""

LITERAL_NULLS = ("", "NULL", "\\N")

ITEMS = ("item_id",)
"""Ids that a shop gave itself: these may be words such as none, but not as programs write them."""

ITEM_NULLS = ("NULL", "null", "(null)", "<null>", "NaN", "nan", "None", "N/A", "n/a", "#N/A", "NA", "<NA>", "undefined", "\\N")

NOT_A_PERSON = ("-1",)
"""What stands for no customer in columns of people."""

PEOPLE = ("user_id",)


def as_text(column: pl.Series) -> pl.Series:
    """Trimmed text; whole floats become whole, since ids next to empty cells often arrive as 17.0."""
    dtype = column.dtype
    if dtype == pl.String:
        return column.str.strip_chars()
    if dtype.is_float():
        whole = column.is_finite() & (column == column.round())
        return first_of(only_where(whole, column.cast(pl.Int64, strict=False)).cast(pl.String), column.cast(pl.String))
    if isinstance(dtype, pl.List):
        return column.cast(pl.List(pl.String)).list.join(" ")
    return column.struct.json_encode() if isinstance(dtype, pl.Struct) else column.cast(pl.String)


def as_id(column: pl.Series) -> pl.Series:
    """Trimmed ids with 17850.0 as 17850."""
    text = as_text(column)
    has_decimals = text.str.contains(".0", literal=True).any()
    return text.str.replace(r"^(-?\d+)\.0+$", "${1}") if has_decimals else text


def without_nulls(text: pl.Series, column: str, mapped: ValueFormat) -> pl.Series:
    """Trimmed texts with null where the text stands for no value in this canonical column."""
    exact = {"", *(value.strip() for value in mapped.null_values)}
    if mapped.usual_null_values:
        exact |= {
            *(LITERAL_NULLS if column in LITERAL else ()),
            *(ITEM_NULLS if column in ITEMS else ()),
            *(NOT_A_PERSON if column in PEOPLE else ()),
        }
    absent = text.is_in(sorted(exact))
    if mapped.usual_null_values and column not in (*LITERAL, *ITEMS):
        absent |= text.str.to_lowercase().is_in(USUAL_NULLS)
    return only_where(~absent, text) if absent.any() else text
