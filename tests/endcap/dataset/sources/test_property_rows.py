"""Files with a property a row become one row for each id."""

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.dataset.sources.columns.value_format import ValueFormat
from endcap.dataset.sources.files.raw_batch import RawBatch
from endcap.dataset.sources.lookup_mapping import Properties
from endcap.dataset.sources.property_rows import property_rows
from tests.properties import examples

MARCH = "1772352000000"
APRIL = "1775030400000"
LAST_EVENT = datetime(2026, 3, 15, tzinfo=UTC)


def wide(batches: list[list[tuple[str, ...]]], at: str | None = "timestamp", last_event: datetime | None = LAST_EVENT) -> RawBatch:
    names = ["timestamp", "itemid", "property", "value"]
    raws = [
        RawBatch(pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row"), pa.array(range(1, len(rows) + 1)))
        for rows in batches
    ]
    said: dict[str, Any] = {"id": "itemid", "name": "property", "value": "value", "at": at, "keep": ["categoryid", "available"]}
    [made] = property_rows(raws, Properties.model_validate(said), ValueFormat(epoch_unit="ms"), last_event)
    return made


def test_the_newest_value_that_is_not_after_the_last_event_counts() -> None:
    made = wide(
        [
            [(MARCH, "2", "categoryid", "10"), ("1772352000001", "1", "categoryid", "11"), (MARCH, "1", "790", "n5")],
            [(APRIL, "1", "categoryid", "12"), (MARCH, "1", "categoryid", "9"), (MARCH, "1", "available", "1")],
        ]
    )
    assert made.frame.to_dicts() == [
        {"itemid": "1", "categoryid": "11", "available": "1"},
        {"itemid": "2", "categoryid": "10", "available": None},
    ]
    assert made.row_numbers.to_pylist() == [1, 2]


def test_without_a_moment_the_last_row_counts() -> None:
    made = wide([[("", "1", "categoryid", "11")], [("", "1", "categoryid", "9")]], at=None)
    assert made.frame["categoryid"].to_list() == ["9"]


def test_a_moment_that_cannot_be_read_is_a_refused_row() -> None:
    made = wide([[("soon", "1", "categoryid", "11"), (MARCH, "1", "categoryid", "10")]])
    assert made.frame["categoryid"].to_list() == ["10"]
    assert [(row.row_number, row.reason, row.text) for row in made.unreadable] == [(1, "timestamp: is no number of ms since 1970", "soon")]


ROW = st.tuples(st.integers(0, 9), st.sampled_from("12"), st.sampled_from(["categoryid", "available", "x"]), st.sampled_from("abc"))


@given(st.lists(ROW, max_size=12), st.integers(0, 12))
@examples(60)
def test_batches_change_nothing(rows: list[tuple[int, str, str, str]], cut: int) -> None:
    start = int(MARCH)
    texts = [(str(start + at), item, name, value) for at, item, name, value in rows]
    assert wide([texts[:cut], texts[cut:]]).frame.equals(wide([texts]).frame)
    expected: dict[tuple[str, str], str] = {}
    for _, item, name, value in sorted(texts, key=lambda row: int(row[0])):
        expected[item, name] = value
    for row in wide([texts]).frame.iter_rows(named=True):
        assert all(row[name] == expected.get((row["itemid"], name)) for name in ("categoryid", "available"))


@pytest.mark.parametrize("batches", [[], [[]]])
def test_no_rows_are_no_rows(batches: list[list[tuple[str, ...]]]) -> None:
    assert wide(batches).frame.columns == ["itemid", "categoryid", "available"]
    assert wide(batches).frame.is_empty()
