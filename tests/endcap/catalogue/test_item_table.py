from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.features.columns import ITEM_NUMERIC


@pytest.fixture
def items() -> ItemTable:
    rows = pl.DataFrame(
        {
            "item_id": ["b", "a", "c"],
            "title": ["Butter", "Apple", "Crisps"],
            "category_path": [["Food", "Dairy", "Butter"], ["Food", "Fruit"], []],
            "brand": ["Own", None, "Own"],
            "price": [2.5, None, 1.0],
            "availability": ["in_stock", "in_stock", "out_of_stock"],
            "created_at": [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), None],
        },
        schema_overrides={"category_path": pl.List(pl.String)},
    )
    return ItemTable.from_items(rows)


def test_indices_follow_item_ids_and_zero_is_padding(items: ItemTable) -> None:
    assert [items.ids.name(index) for index in (1, 2, 3)] == ["a", "b", "c"]
    assert list(items.title) == ["", "Apple", "Butter", "Crisps"]
    assert not items.available[0]


def test_short_paths_repeat_their_finest_level(items: ItemTable) -> None:
    apple = items.ids.code("a")
    assert [items.categories.name(code) for code in items.category_codes[apple]] == ["Food", "Food > Fruit", "Food > Fruit"]
    assert items.leaf_name(apple) == "Food > Fruit"


def test_items_without_category_or_brand_get_the_unknown_code(items: ItemTable) -> None:
    assert items.leaf_code[items.ids.code("c")] == 0
    assert items.brand_code[items.ids.code("a")] == 0


def test_known_before_needs_stock_and_an_earlier_creation(items: ItemTable) -> None:
    known = items.known_before(datetime(2026, 3, 1, tzinfo=UTC))
    assert [items.ids.name(index) for index in np.flatnonzero(known)] == ["b"]


def test_features_land_on_their_items_and_never_on_padding(items: ItemTable) -> None:
    row = {"item_id": ["b", "stranger"], **{name: [7.0, 9.0] for name in ITEM_NUMERIC}}
    numeric = items.with_features(pl.DataFrame(row)).numeric
    assert (numeric[items.ids.code("b")] == 7).all()
    assert (numeric[[0, items.ids.code("a"), items.ids.code("c")]] == 0).all()


@given(st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=20))
def test_codes_and_names_are_inverse(values: list[str | None]) -> None:
    vocabulary = Vocabulary.of(values)
    codes = vocabulary.codes(values)
    assert [vocabulary.name(int(code)) for code in codes] == [value or "" for value in values]
    assert len(vocabulary) == len({value for value in values if value}) + 1
