"""The live trending table: sound or refused whole."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from endcap.catalogue.changes.trend_file import ITEMS_MAX, read_trends, trends_of, write_trends
from endcap.core.errors import DataRejected
from endcap.events.stream.item_counters import COUNTS_SCHEMA

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROW: dict[str, Any] = {
    "region": "north",
    "item_id": "a",
    "updated_at": NOW,
    "purchases": 3.0,
    "expected": 1.0,
    "region_purchases": 9.0,
    "region_usual": 4.0,
}


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_trends(tmp_path / "live" / "trends.parquet", pl.DataFrame([ROW]))
    assert read_trends(tmp_path / "live" / "trends.parquet").to_dicts() == [ROW]


@pytest.mark.parametrize(
    "rows",
    [
        [ROW, ROW | {"item_id": None}],
        [ROW, ROW | {"item_id": "b", "purchases": -1.0}],
        [ROW, ROW | {"item_id": "b", "expected": float("nan")}],
        [ROW, ROW],
        [ROW | {"colour": "red"}],
        [{name: value for name, value in ROW.items() if name != "region"}],
        [ROW | {"purchases": "many"}],
    ],
)
def test_one_bad_row_or_column_refuses_the_file(tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = tmp_path / "trends.parquet"
    pl.DataFrame(rows).write_parquet(path)
    with pytest.raises(DataRejected):
        read_trends(path)


def test_of_a_large_region_the_most_bought_and_those_that_stand_out_are_kept() -> None:
    many = 3 * ITEMS_MAX
    rows = [
        {
            "item_id": f"i{place}",
            "region": "",
            "as_of": NOW,
            "purchases_7d": many - place,
            "purchases_28d": 0,
            "purchases_35d": 10 * (many - place),
        }
        for place in range(many - 1)
    ]
    rows.append({"item_id": "new", "region": "", "as_of": NOW, "purchases_7d": 1, "purchases_28d": 1, "purchases_35d": 1})
    trends = trends_of(pl.DataFrame(rows, schema={name: kind for name, kind in COUNTS_SCHEMA.items() if name != "trend"}))
    assert ITEMS_MAX <= len(trends) <= 2 * ITEMS_MAX
    assert {"i0", "new"} <= set(trends["item_id"])
    assert trends["region_purchases"].unique().to_list() == [sum(many - place for place in range(many - 1)) + 1]
