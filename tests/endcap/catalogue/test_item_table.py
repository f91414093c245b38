from datetime import UTC, datetime

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.item_table import CATEGORY_LEVELS, PATH_SEPARATOR, ItemTable
from endcap.features.columns import ITEM_NUMERIC


def test_indices_follow_item_ids_and_zero_is_padding(items: ItemTable) -> None:
    assert [items.ids.name(index) for index in (1, 2, 3)] == ["a", "b", "c"]
    assert list(items.title) == ["", "Äpple", "Butter", "Crisps"]
    assert items.titles(np.array([3, 0, 1])) == ["Crisps", "", "Äpple"]
    assert items.title_of(2) == "Butter"
    assert not items.available[0]
    assert items.revision == 0


def test_short_paths_repeat_their_finest_level(items: ItemTable) -> None:
    apple = items.ids.code("a")
    assert [items.categories.name(code) for code in items.category_codes[apple]] == ["Food", "Food > Fruit", "Food > Fruit"]
    assert items.categories.name(int(items.leaf_code[apple])) == "Food > Fruit"


def test_items_without_category_or_brand_get_the_unknown_code(items: ItemTable) -> None:
    assert items.leaf_code[items.ids.code("c")] == 0
    assert items.brand_code[items.ids.code("a")] == 0


def test_price_and_margin_are_nan_when_unknown(items: ItemTable) -> None:
    np.testing.assert_array_equal(items.price, np.array([np.nan, np.nan, 2.5, 1], np.float32))
    np.testing.assert_array_equal(items.margin, np.array([np.nan, np.nan, 0.25, -0.5], np.float32))


def test_rows_from_before_margins_still_load(rows: pl.DataFrame) -> None:
    assert np.isnan(ItemTable.from_items(rows.drop("margin")).margin).all()


def test_no_items_make_a_table_of_padding_only(rows: pl.DataFrame) -> None:
    assert len(ItemTable.from_items(rows.clear())) == 1


def test_indices_in_another_catalogue_are_of_the_same_items(items: ItemTable, rows: pl.DataFrame) -> None:
    other = ItemTable.from_items(rows.sort("item_id")[1:])
    there, back = items.indices_in(other), other.indices_in(items)
    assert (there[0], there[1], back[0]) == (0, 0, 0)
    assert [items.ids.name(int(code)) for code in back[1:]] == list(other.ids.names)
    assert there[back[1:]].tolist() == list(range(1, len(other)))


def test_known_before_needs_stock_and_an_earlier_creation(items: ItemTable) -> None:
    known = items.known_before(datetime(2026, 3, 1, tzinfo=UTC))
    assert [items.ids.name(index) for index in np.flatnonzero(known)] == ["b"]


def test_features_land_on_their_items_and_never_on_padding(items: ItemTable) -> None:
    row = {"item_id": ["b", "stranger"], **{name: [7.0, 9.0] for name in ITEM_NUMERIC}}
    numeric = items.with_features(pl.DataFrame(row)).numeric
    assert (numeric[items.ids.code("b")] == 7).all()
    assert (numeric[[0, items.ids.code("a"), items.ids.code("c")]] == 0).all()


def test_features_of_every_item_in_order_land_in_order(items: ItemTable) -> None:
    row = {"item_id": ["a", "b", "c"], **{name: [1.0, 2.0, 3.0] for name in ITEM_NUMERIC}}
    assert items.with_features(pl.DataFrame(row)).numeric[:, 0].tolist() == [0, 1, 2, 3]


LEVEL = st.sampled_from(["", "a", "b", "a > b", "ü"])


@given(st.lists(st.lists(LEVEL, max_size=5), min_size=1, max_size=12))
def test_category_codes_are_those_of_each_row_alone(paths: list[list[str]]) -> None:
    rows = pl.DataFrame(
        {
            "item_id": [f"{number:03}" for number in range(len(paths))],
            "title": "t",
            "category_path": pl.Series(paths, dtype=pl.List(pl.String)),
            "brand": pl.Series([None] * len(paths), dtype=pl.String),
            "price": 1.0,
            "availability": "in_stock",
            "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
    )
    items = ItemTable.from_items(rows)
    for index, path in enumerate(paths, start=1):
        parts = [part for part in path if part]
        cuts = [PATH_SEPARATOR.join(parts[: level + 1]) for level in range(CATEGORY_LEVELS)]
        assert [items.categories.name(code) for code in items.category_codes[index]] == cuts
        assert items.categories.name(int(items.leaf_code[index])) == PATH_SEPARATOR.join(parts)
