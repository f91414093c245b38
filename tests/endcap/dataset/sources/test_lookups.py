"""Columns from further files, and moments of orders of which only the days between are known."""

from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.sources.lookup_mapping import Lookup, OrderMoments
from endcap.dataset.sources.lookups import LoadedLookup, order_moments
from tests.properties import examples

PRODUCTS = "id,name,aisle\n1,Tea,9\n2,Mug,\n2,Cup,8\n"


def loaded(tmp_path: Path, text: str = PRODUCTS, **options: Any) -> LoadedLookup:
    (tmp_path / "products.csv").write_text(text)
    lookup = Lookup.model_validate({"files": "products.csv", "on": "product", "key": "id", **options})
    return LoadedLookup(tmp_path, "tables.events.lookup.0", lookup)


def test_rows_get_the_columns_of_what_they_name_and_keep_their_order(tmp_path: Path) -> None:
    frame = pl.DataFrame({"product": ["2", "7", " 1.0", None]})
    rows = loaded(tmp_path, columns={"title": "name", "aisle": "aisle"}).joined(frame).rows()
    assert rows == [("2", "Mug", ""), ("7", None, None), (" 1.0", "Tea", "9"), (None, None, None)]


def test_a_column_that_the_rows_have_already_needs_another_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"lookup\.0\.columns: the rows have a column name already; give it another name"):
        loaded(tmp_path, columns=["name"]).joined(pl.DataFrame({"product": ["1"], "name": ["x"]}))


def test_a_missing_column_and_a_damaged_line_are_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"the column title is not in products\.csv; the file's columns are id, name, aisle"):
        loaded(tmp_path, columns=["title"])
    with pytest.raises(DataRejected, match=r"row 1 of products\.csv: has 1 columns"):
        loaded(tmp_path, "id,name\n1\n", columns=["name"])


def moments(rows: list[tuple[Any, ...]], **options: Any) -> list[str]:
    frame = pl.DataFrame(rows, schema=["user", "number", "days", "hour", "dow"][: len(rows[0])], orient="row")
    said = {"as": "at", "person": "user", "number": "number", "days": "days", "hour": "hour", **options}
    return order_moments(frame, OrderMoments.model_validate(said), "p").to_list()


ORDERS = [("a", "2", "7.0", "9"), ("a", "1", "", "08"), ("b", "1", "", "23"), ("a", "3", "30.0", "0")]


def test_orders_are_counted_back_from_the_last_day() -> None:
    assert moments(ORDERS, last_day="2026-03-31") == ["2026-03-01 09:00", "2026-02-22 08:00", "2026-03-31 23:00", "2026-03-31 00:00"]


def test_orders_are_counted_forward_from_the_first_day() -> None:
    assert moments(ORDERS, first_day="2026-03-01", hour=None) == [
        "2026-03-08 12:00",
        "2026-03-01 12:00",
        "2026-03-01 12:00",
        "2026-04-07 12:00",
    ]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(0, 6), st.sampled_from(["sunday", "monday", "saturday"]))
@examples(40)
def test_days_of_the_week_are_kept_as_far_as_the_days_between_fit_them(gaps: list[int], weekday: int, starts: str) -> None:
    days = [0, *gaps]
    since = [sum(days[1 : place + 1]) for place in range(len(days))]
    rows = [("a", str(n + 1), str(days[n]) if n else "", "9", str((weekday + since[n]) % 7)) for n in range(len(days))]
    zero = {"sunday": 6, "monday": 0, "saturday": 5}[starts]
    for end in ({"last_day": "2026-03-31"}, {"first_day": "2026-03-31"}):
        found = [date.fromisoformat(text[:10]) for text in moments(rows, weekday="dow", week_starts=starts, **end)]
        assert [day.weekday() for day in found] == [(int(row[4]) + zero) % 7 for row in rows]
        assert [(day - found[0]).days for day in found] == since
        away = (date(2026, 3, 31) - found[-1]).days if "last_day" in end else (found[0] - date(2026, 3, 31)).days
        assert 0 <= away < 7


def test_what_is_no_number_is_refused_with_its_column() -> None:
    with pytest.raises(DataRejected, match=r"p\.days: is not a whole number; got 'soon'; correct the column days"):
        moments([("a", "1", "soon", "9")], last_day="2026-03-31")


def test_one_end_of_the_days_is_needed() -> None:
    with pytest.raises(ValidationError, match="either last_day or first_day"):
        moments(ORDERS)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20))
@examples(40)
def test_the_days_between_orders_are_those_that_were_given(days: list[int]) -> None:
    rows = [("a", str(number), str(gap) if number > 1 else "", "12") for number, gap in enumerate(days, 1)]
    for options in ({"last_day": "2026-03-31"}, {"first_day": "2020-01-01"}):
        found = [date.fromisoformat(text[:10]) for text in moments(rows, **options)]
        assert [(after - before).days for before, after in pairwise(found)] == days[1:]
        assert (found[-1] if "last_day" in options else found[0]).isoformat() == next(iter(options.values()))
