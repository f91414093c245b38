from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.item_updates import read_updates, update_schema, with_reasons, write_updates
from endcap.catalogue.updated_items import apply_updates
from endcap.contracts.item_update import ItemUpdate
from endcap.core.errors import DataRejected
from endcap.features.columns import ITEM_NUMERIC
from tests.properties import examples

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


def updates(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame([{"updated_at": NOW} | row for row in rows], schema=update_schema())


def feature(table: ItemTable, item_id: str, name: str) -> float:
    return float(table.numeric[table.ids.code(item_id), ITEM_NUMERIC.index(name)])


def test_what_is_given_changes_and_what_is_null_stays(catalogue: ItemTable) -> None:
    changed, report = apply_updates(
        catalogue, updates({"item_id": "b", "availability": "out_of_stock"}, {"item_id": "c", "availability": "in_stock", "margin": 0.1})
    )
    assert changed.available.tolist() == [False, True, False, True]
    np.testing.assert_allclose(changed.margin, [np.nan, np.nan, 0.25, 0.1], rtol=1e-6)
    assert (report.applied, report.unknown, report.outdated, dict(report.refused)) == (2, 0, 0, {})
    assert changed.revision == 1


def test_the_earlier_table_is_untouched_and_unchanged_columns_are_shared(catalogue: ItemTable) -> None:
    before = catalogue.available.copy()
    changed, _ = apply_updates(catalogue, updates({"item_id": "b", "availability": "out_of_stock"}))
    np.testing.assert_array_equal(catalogue.available, before)
    assert changed.numeric is catalogue.numeric
    assert changed.price is catalogue.price
    assert changed.ids is catalogue.ids


def test_a_price_moves_the_ranker_s_prices_too(catalogue: ItemTable) -> None:
    changed, _ = apply_updates(catalogue, updates({"item_id": "b", "price": 5.0}, {"item_id": "a", "price": 4.0}))
    assert changed.price[changed.ids.code("b")] == 5
    assert feature(changed, "b", "price") == 5
    assert feature(changed, "b", "price_to_category") == 4
    assert feature(changed, "a", "price_to_category") == 1, "its price was unknown before"
    assert feature(changed, "c", "price") == 1
    assert feature(catalogue, "b", "price") == 2.5


def test_purchases_move_the_trend_unless_it_is_given(catalogue: ItemTable) -> None:
    changed, _ = apply_updates(
        catalogue, updates({"item_id": "b", "purchases_7d": 5.0}, {"item_id": "c", "purchases_7d": 5.0, "trend": -1.0})
    )
    assert feature(changed, "b", "trend") == pytest.approx(np.log(2))
    assert feature(changed, "c", "trend") == -1
    assert feature(changed, "c", "purchases_7d") == 5


def test_the_last_of_several_rows_holds_whatever_their_order(catalogue: ItemTable) -> None:
    late = {"item_id": "b", "price": 9.0, "updated_at": NOW + timedelta(seconds=1)}
    changed, _ = apply_updates(catalogue, updates(late, {"item_id": "b", "price": 1.0}))
    assert changed.price[changed.ids.code("b")] == 9


def test_unknown_items_and_rows_older_than_the_bundle_are_counted_and_left_out(catalogue: ItemTable) -> None:
    rows = updates({"item_id": "stranger", "price": 1.0, "updated_at": NOW + timedelta(days=1)}, {"item_id": "b", "price": 1.0})
    changed, report = apply_updates(catalogue, rows, newer_than=NOW)
    assert (report.applied, report.unknown, report.outdated) == (0, 1, 1)
    np.testing.assert_array_equal(changed.price, catalogue.price)


def test_bad_rows_are_refused_with_the_reason_and_good_ones_applied(catalogue: ItemTable) -> None:
    rows = updates({"item_id": "a", "price": -1.0}, {"item_id": "b", "price": 3.0}, {"item_id": "c", "availability": "gone"})
    changed, report = apply_updates(catalogue, rows)
    assert dict(report.refused) == {
        "price: must be 0 or more": 1,
        "availability: must be one of in_stock, out_of_stock, discontinued": 1,
    }
    assert changed.price[changed.ids.code("b")] == 3
    assert np.isnan(changed.price[changed.ids.code("a")])


NUMBER = st.none() | st.floats(-2, 2) | st.sampled_from([float("nan"), float("inf")])


@examples(60)
@given(
    st.fixed_dictionaries(
        {
            "item_id": st.none() | st.text("ab", max_size=3) | st.just("x" * 129),
            "updated_at": st.sampled_from([None, NOW]),
            "price": NUMBER,
            "availability": st.sampled_from([None, "in_stock", "sold"]),
            "margin": NUMBER,
            "display_share": NUMBER,
            "mailer_share": NUMBER,
            "purchases_7d": NUMBER,
            "trend": NUMBER,
        }
    )
)
def test_a_row_is_refused_exactly_when_the_contract_refuses_it(row: dict[str, Any]) -> None:
    try:
        ItemUpdate.model_validate(row)
        is_good = True
    except ValidationError:
        is_good = False
    assert (with_reasons(pl.DataFrame([row], schema=update_schema()))["reason"][0] is None) == is_good


def test_a_file_is_written_whole_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "live" / "item_updates.parquet"
    write_updates(path, pl.DataFrame({"item_id": ["a"], "price": [2], "updated_at": [NOW]}))
    read = read_updates(path)
    assert read.schema == update_schema()
    assert read["price"].to_list() == [2.0]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"item_id": ["a"]}, "missing: \\['updated_at'\\]"),
        ({"item_id": ["a"], "updated_at": [NOW], "colour": ["red"]}, "unknown: \\['colour'\\]"),
        ({"item_id": ["a"], "updated_at": [NOW.replace(tzinfo=None)]}, "another type: \\['updated_at'\\]"),
        ({"item_id": ["a"], "updated_at": [NOW], "price": ["cheap"]}, "another type: \\['price'\\]"),
    ],
)
def test_columns_that_do_not_fit_are_refused(tmp_path: Path, columns: dict[str, list[Any]], said: str) -> None:
    path = tmp_path / "item_updates.parquet"
    pl.DataFrame(columns).write_parquet(path)
    with pytest.raises(DataRejected, match=said):
        read_updates(path)


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "item_updates.parquet"
    path.write_bytes(b"not parquet")
    with pytest.raises(DataRejected, match="not a readable"):
        read_updates(path)
