"""`where` of a mapping: which rows of a file belong to the table."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from endcap.core.sql_condition import KEYWORDS, ConditionReader, tokens
from endcap.dataset.sources.columns.number_texts import plain_numbers
from endcap.dataset.sources.columns.texts import as_text, without_nulls
from endcap.dataset.sources.table_mapping import TableMapping

_COMPARISONS = ("=", "<", ">", "<=", ">=", "<>", "!=")
_ARITHMETIC = ("+", "-", "*", "/", "%")
_OF_NUMBERS = ("abs", "ceil", "ceiling", "floor", "round", "sign", "sqrt", "ln", "log10", "exp", "power", "pow", "mod")


@dataclass
class RowFilter:
    """One condition on source columns, read once for every set of columns that the files have.

    Columns of text files are texts; those that the condition compares or computes with numbers are read as numbers.
    """

    condition: str
    place: str
    mapped: TableMapping
    _read: dict[tuple[tuple[str, pl.DataType], ...], pl.Expr] = field(default_factory=dict)

    def rows(self, raw: pl.DataFrame) -> pl.Series:
        """Which rows fulfil the condition, as Boolean without nulls.

        Raises:
            InvalidInput: it is no condition on the file's columns.
        """
        numbers = columns_of_numbers(self.condition, self.place)
        key = tuple(raw.schema.items())
        if key not in self._read:
            schema = {name: _type_read(dtype, is_number=name in numbers) for name, dtype in key}
            self._read[key] = ConditionReader(schema, "the header of the file").read(self.condition, self.place)
        condition = self._read[key]
        columns = [self._column(raw[name], is_number=name in numbers).alias(name) for name in set(condition.meta.root_names())]
        return pl.DataFrame(columns).select(condition.fill_null(False).alias("kept")).to_series()

    def _column(self, column: pl.Series, *, is_number: bool) -> pl.Series:
        if _type_read(column.dtype, is_number=is_number) == column.dtype != pl.String:
            return column
        text = without_nulls(as_text(column), column.name, self.mapped)
        return plain_numbers(text, self.mapped).cast(pl.Float64, strict=False) if is_number else text


def _type_read(dtype: pl.DataType, *, is_number: bool) -> pl.DataType:
    if dtype.is_numeric() or dtype == pl.Boolean:
        return dtype
    return pl.Float64() if is_number else pl.String()


def columns_of_numbers(condition: str, place: str) -> set[str]:
    """The columns that a condition compares or computes with numbers."""
    words = [token for token in tokens(condition, place) if not token["space"]]
    found = set()
    for at, token in enumerate(words):
        name = token["quoted"] or token["word"]
        is_column = name is not None and not token["call"] and not (token["word"] and KEYWORDS.fullmatch(name))
        if (
            is_column
            and name is not None
            and (_meets_number(words[at + 1 :]) or _meets_number(words[:at][::-1]) or _is_argument(words[:at]))
        ):
            found.add(name)
    return found


def columns_of(condition: str, place: str) -> list[str]:
    """The columns that a condition names."""
    return list(dict.fromkeys(_names(condition, place)))


def _names(condition: str, place: str) -> Iterator[str]:
    for token in tokens(condition, place):
        if token["quoted"]:
            yield token["quoted"]
        elif token["word"] and not token["call"] and not KEYWORDS.fullmatch(token["word"]):
            yield token["word"]


def _meets_number(words: Sequence[re.Match[str]]) -> bool:
    """Whether what follows a column, outwards from it, is arithmetic, or a comparison with a number."""
    rest = [word.group().strip().lower() for word in words[:4]]
    if not rest:
        return False
    if rest[0] in _ARITHMETIC:
        return True
    if rest[0] == "not":
        rest = rest[1:]
    compares = rest[:1] and (rest[0] in _COMPARISONS or rest[0] == "between" or rest[0].rstrip("( ") == "in")
    after = [word for word in rest[1:] if word not in {"-", "+", "("}]
    return bool(compares and after and re.match(r"[0-9.]", after[0]))


def _is_argument(before: Sequence[re.Match[str]]) -> bool:
    return bool(before and before[-1]["call"] and before[-1]["word"].lower() in _OF_NUMBERS)
