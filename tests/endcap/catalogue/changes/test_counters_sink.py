"""Counts reach the servers' files: as they are once the log is long enough, with what the bundle counted before."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.changes.counter_updates import ServedCounts, counter_updates, share_before
from endcap.catalogue.changes.counters_sink import COUNTERS_FILE, ItemCountersSink
from endcap.catalogue.changes.trend_file import TRENDS_FILE, read_trends
from endcap.catalogue.item_updates import UPDATES_FILE, read_updates, write_updates
from endcap.core.errors import DataRejected
from endcap.events.stream.item_counters import COUNTS_SCHEMA

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def counts(*rows: tuple[str, str, int, int, int]) -> pl.DataFrame:
    """Item, region, and baskets of 7, 28 and 35 days."""
    names = ("item_id", "region", *(f"purchases_{days}d" for days in (7, 28, 35)))
    full: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) | {"as_of": NOW, "trend": 0.0} for row in rows]
    return pl.DataFrame(full, schema=COUNTS_SCHEMA)


def served(data_end: datetime, answers_at: datetime | None = None, week: float = 70.0, month: float = 280.0) -> ServedCounts:
    items = pl.DataFrame({"item_id": ["a"], "purchases_7d": [week], "purchases_28d": [month]})
    return ServedCounts(data_end, answers_at, items)


def week_of(found: pl.DataFrame) -> float:
    return float(found["purchases_7d"].item())


def test_a_log_of_four_weeks_needs_no_bundle() -> None:
    live = counts(("a", "", 3, 8, 9), ("a", "north", 1, 1, 1))
    for bundle in (None, served(NOW - DAY), served(NOW - 100 * DAY)):
        found = counter_updates(live, bundle, since=NOW - 28 * DAY, now=NOW)
        assert found["purchases_7d"].to_list() == [3.0]
        assert found["trend"].to_list() == pytest.approx([np.log(4 / 3)])
        assert found["updated_at"].to_list() == [NOW]


@pytest.mark.parametrize(
    ("data_end", "since", "expected"),
    [
        (NOW, NOW, 72.0),  # the data ends where the log begins, now
        (NOW - 7 * DAY, NOW - 7 * DAY, 2.0),  # a week later all is counted
        (NOW - 3.5 * DAY, NOW - 3.5 * DAY, 37.0),  # half of the week is the bundle's
        (NOW - DAY, NOW - 3.5 * DAY, 37.0),  # what both have heard is counted once, by the stream
        (NOW - 30 * DAY, NOW, 2.0),  # what the bundle counted is over
    ],
)
def test_what_the_stream_has_not_heard_is_the_bundles(data_end: datetime, since: datetime, expected: float) -> None:
    found = counter_updates(counts(("a", "", 2, 2, 2), ("new", "", 5, 5, 5)), served(data_end), since, NOW)
    assert dict(found.select("item_id", "purchases_7d").rows()) == {"a": pytest.approx(expected), "new": 5.0}


def test_a_bundle_of_recorded_data_gets_what_one_of_today_would_get() -> None:
    live, since = counts(("a", "", 2, 2, 2)), NOW - 2 * DAY
    then = datetime(2017, 12, 1, tzinfo=UTC)
    assert week_of(counter_updates(live, served(then, answers_at=then), since, NOW)) == week_of(
        counter_updates(live, served(NOW), since, NOW)
    )


@given(ended=st.floats(0, 60), began=st.floats(0, 60), days=st.sampled_from([7, 28]))
def test_the_bundles_share_is_a_share_and_none_once_the_log_covers_the_window(ended: float, began: float, days: int) -> None:
    share = share_before(days, served(NOW - ended * DAY), NOW - began * DAY, NOW)
    assert 0 <= share <= 1 + 1e-9
    if max(ended, began) >= days:
        assert share == pytest.approx(0, abs=1e-9)


def sink(folder: Path) -> ItemCountersSink:
    return ItemCountersSink(folder, lambda: None, NOW - 60 * DAY, lambda: NOW)


def test_a_delivery_keeps_prices_and_what_falls_to_zero_is_said_once(tmp_path: Path) -> None:
    write_updates(tmp_path / UPDATES_FILE, pl.DataFrame({"item_id": ["a"], "updated_at": [NOW - DAY], "price": [2.0]}))
    for _ in range(2):
        sink(tmp_path).deliver(counts(("a", "", 3, 3, 9), ("b", "", 1, 1, 1), ("b", "north", 1, 1, 1)))
        updates = read_updates(tmp_path / UPDATES_FILE).sort("item_id", "updated_at")
        assert updates.select("item_id", "price", "purchases_7d").rows() == [("a", 2.0, None), ("a", None, 3.0), ("b", None, 1.0)]
        trends = read_trends(tmp_path / TRENDS_FILE)
        assert trends.select("region", "item_id", "purchases", "expected", "region_purchases", "region_usual").rows() == [
            ("", "a", 3.0, 4.0, 4.0, 6.0),
            ("", "b", 1.0, 0.0, 4.0, 6.0),
            ("north", "b", 1.0, 0.0, 1.0, 0.0),
        ]
    sink(tmp_path).deliver(counts(("b", "", 0, 0, 0), ("b", "north", 0, 0, 0)))
    assert pl.read_parquet(tmp_path / COUNTERS_FILE)["item_id"].to_list() == ["a"]
    assert dict(read_updates(tmp_path / UPDATES_FILE).select("item_id", "purchases_7d").drop_nulls().rows()) == {"a": 3.0, "b": 0.0}
    assert read_trends(tmp_path / TRENDS_FILE)["item_id"].to_list() == ["a"]


def test_no_rows_make_no_files(tmp_path: Path) -> None:
    sink(tmp_path).deliver(COUNTS_SCHEMA.to_frame())
    assert not [file for file in tmp_path.iterdir() if not file.name.startswith(".")]


def test_damaged_counts_keep_rows_waiting(tmp_path: Path) -> None:
    (tmp_path / COUNTERS_FILE).write_bytes(b"damaged")
    with pytest.raises(DataRejected, match="remove the file"):
        sink(tmp_path).deliver(counts(("a", "", 1, 1, 1)))
