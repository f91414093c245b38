"""Conditions on source columns: which rows of a file belong to the table."""

from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap.dataset.sources.row_filter import RowFilter, columns_of
from endcap.dataset.sources.table_mapping import TableMapping
from tests.properties import examples

FRAME = pl.DataFrame(
    {
        "Invoice": ["C1", "2", "3", None],
        "Customer ID": ["17850", "NULL", "", "4"],
        "qty": ["-2", "10", "9", "x"],
        "price": ["1.234,50", "12,50", "1", "0"],
        "kind": ["view", "buy", "view", "cart"],
        "day": [date(2026, 3, day) for day in (1, 2, 3, 4)],
        "n": [1, 2, 3, None],
        "paid": [True, False, None, True],
        "order": ["1", "2", "3", "4"],
    }
)


def kept(condition: str, **options: Any) -> list[int]:
    mapped = TableMapping(files=["x"], **options)
    return RowFilter(condition, "tables.events.where", mapped).rows(FRAME).arg_true().to_list()


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("kind = 'view'", [0, 2]),
        ("kind in ('buy', 'cart')", [1, 3]),
        ("kind <> 'view'", [1, 3]),
        ("not (kind = 'view' or kind = 'buy')", [3]),
        ("qty > 0", [1, 2]),
        ("qty > 9.5 and kind = 'buy'", [1]),
        ("0 < qty", [1, 2]),
        ("qty between 0 and 9", [2]),
        ("qty in (9, 10)", [1, 2]),
        ("qty not in (9)", [0, 1]),
        ("qty > -3", [0, 1, 2]),
        ("abs(qty) < 5", [0]),
        ("qty * 2 >= 20", [1]),
        ("n - 1 > 0", [1, 2]),
        ("Invoice not like 'C%'", [1, 2]),
        ("Invoice is null", [3]),
        ('"Customer ID" is not null', [0, 3]),
        ("\"Customer ID\" = '4'", [3]),
        ("day >= '2026-03-03'", [2, 3]),
        ("paid", [0, 3]),
        ("order > 3 and kind = 'cart'", [3]),
        ("Invoice = '2'", [1]),
    ],
)
def test_rows_are_kept_by_what_their_columns_say(condition: str, rows: list[int]) -> None:
    assert kept(condition) == rows


def test_numbers_are_read_as_the_mapping_says() -> None:
    assert kept("price > 12", decimal_comma=True) == [0, 1]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("knd = 'view'", "tables.events.where: unknown column; got 'knd'; did you mean `kind`?"),
        ("\"customer id\" = '4'", "did you mean `Customer ID`?"),
        ("kind", "must be true or false"),
        ("kind = ", "no valid SQL condition"),
        ("count(*) > 1", "not a function"),
        ("kind = 'a'; drop", "cannot be read from here on"),
    ],
)
def test_anything_else_is_refused_with_the_place(condition: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        kept(condition)
    assert message in str(refused.value)


def test_the_columns_of_a_condition_are_known() -> None:
    assert columns_of("\"Customer ID\" is null or abs(qty) > 1 and kind like 'a%' and qty < 2", "w") == ["Customer ID", "qty", "kind"]


@given(st.integers(-20, 20), st.sampled_from(["<", ">", "=", "<=", ">=", "<>"]))
@examples(40)
def test_a_comparison_reads_the_same_from_both_sides(number: int, sign: str) -> None:
    turned = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(sign, sign)
    assert kept(f"qty {sign} {number}") == kept(f"{number} {turned} qty")
