"""Texts and ids: what stands for nothing, and what is one id in two spellings."""

from typing import Any

import polars as pl
import pytest

from endcap.dataset.sources.columns.texts import as_id, as_text, without_nulls
from endcap.dataset.sources.columns.value_format import ValueFormat

WORDS = ["NULL", "null", "nan", "NaN", "None", "N/A", "NA", "\\N", "", "   ", "undefined", "<NA>"]


def read(values: list[Any], column: str, **options: Any) -> list[str | None]:
    column_read = pl.Series(values)
    text = as_id(column_read) if column.endswith("_id") else as_text(column_read)
    return without_nulls(text, column, ValueFormat(**options)).to_list()


@pytest.mark.parametrize("column", ["user_id", "item_id", "session_id", "brand", "unit_price", "occurred_at"])
def test_usual_words_for_no_value_are_none(column: str) -> None:
    assert read(WORDS, column) == [None] * len(WORDS)


def test_minus_one_is_nobody_and_any_other_columns_value() -> None:
    assert read(["-1", "-1.0", "1"], "user_id") == [None, None, "1"]
    assert read(["-1", "1"], "item_id") == ["-1", "1"]


def test_a_title_may_be_a_word_that_elsewhere_stands_for_nothing() -> None:
    assert read(["None", "NA", "NULL", "", "\\N"], "title") == ["None", "NA", None, None, None]


def test_an_item_may_be_called_none_but_not_as_programs_write_it() -> None:
    assert read(["none", "na", "None", "NULL", "NA"], "item_id") == ["none", "na", None, None, None]
    assert read(["none", "NONE"], "user_id") == [None, None]


def test_a_mapping_adds_words_or_takes_the_usual_ones_away() -> None:
    assert read(["-", "NULL", "x"], "brand", null_values=["-"]) == [None, None, "x"]
    assert read(["-", "NULL", "", "-1"], "user_id", null_values=["-"], usual_null_values=False) == [None, "NULL", None, "-1"]


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([" 17850 ", "17850.0", "17850", "\u00a017850\t"], ["17850"] * 4),
        ([17850.0, 17850.5, None], ["17850", "17850.5", None]),
        ([17850], ["17850"]),
        (["007.0", "1.50", "A1.0", "1.0.0"], ["007", "1.50", "A1.0", "1.0.0"]),
    ],
)
def test_an_id_is_the_same_however_it_is_written(values: list[Any], texts: list[str | None]) -> None:
    assert read(values, "item_id") == texts
