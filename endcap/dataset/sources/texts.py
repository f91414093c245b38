"""Texts and ids as they are meant: trimmed, whole numbers without decimals, and nothing where a word stands for nothing."""

import polars as pl

from endcap.dataset.sources.value_format import ValueFormat

USUAL_NULLS = ("", "null", "(null)", "<null>", "nan", "none", "n/a", "#n/a", "na", "<na>", "nil", "undefined", "\\n")
"""In lower case: what programs write for no value, in every column but those of `LITERAL`."""

LITERAL = ("title", "query")
"""Columns in which a word may be meant as it stands: a book called None, a search for NA."""

LITERAL_NULLS = ("", "NULL", "\\N")

NOT_A_PERSON = ("-1",)
"""What stands for no customer in columns of people."""

PEOPLE = ("user_id",)


def as_text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Trimmed text; whole floats become whole, since ids next to empty cells often arrive as 17.0."""
    if dtype == pl.String:
        return column.str.strip_chars()
    if dtype.is_float():
        whole = column.is_finite() & (column == column.round())
        return pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(column.cast(pl.String))
    if isinstance(dtype, pl.List):
        return column.cast(pl.List(pl.String)).list.join(" ")
    return column.struct.json_encode() if isinstance(dtype, pl.Struct) else column.cast(pl.String)


def as_id(text: pl.Expr) -> pl.Expr:
    """A trimmed id with 17850.0 as 17850."""
    return text.str.replace(r"^(-?\d+)\.0+$", "${1}")


def without_nulls(text: pl.Expr, column: str, mapped: ValueFormat) -> pl.Expr:
    """Trimmed texts with null where the text stands for no value in this canonical column."""
    absent = text.is_in([value.strip() for value in mapped.null_values]) | (text == "")
    if mapped.usual_null_values:
        absent |= text.is_in(LITERAL_NULLS) if column in LITERAL else text.str.to_lowercase().is_in(USUAL_NULLS)
        if column in PEOPLE:
            absent |= text.is_in(NOT_A_PERSON)
    return pl.when(~absent).then(text)
