from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.catalogue.category_levels import CategoryLevels
from endcap.catalogue.item_table import ItemTable


def catalogue(paths: list[list[str]]) -> ItemTable:
    count = len(paths)
    return ItemTable.from_items(
        pl.DataFrame(
            {
                "item_id": [f"i{number:03d}" for number in range(count)],
                "title": ["t"] * count,
                "category_path": pl.Series(paths, dtype=pl.List(pl.String)),
                "brand": pl.Series([None] * count, dtype=pl.String),
                "price": pl.Series([None] * count, dtype=pl.Float64),
                "availability": ["in_stock"] * count,
                "created_at": pl.Series([datetime(2026, 1, 1, tzinfo=UTC)] * count, dtype=pl.Datetime("us", "UTC")),
            }
        )
    )


def groups(paths: list[list[str]], level: int | None = None) -> list[str | None]:
    items = catalogue(paths)
    codes = CategoryLevels.of(items).groups(items.category_codes[1:], level)
    return [items.categories.name(code) if code >= 0 else None for code in codes.tolist()]


def test_the_finest_level_counts_where_the_tree_has_several() -> None:
    paths = [["Food", "Fruit", "Apples"], ["Food", "Fruit", "Pears"], ["Home", "Beds", "Bunks"], ["Home", "Beds", "Cots"]]
    assert groups(paths) == [" > ".join(path) for path in paths]
    assert groups(paths, 1) == ["Food", "Food", "Home", "Home"]


@pytest.mark.parametrize(
    "paths",
    [
        [["Drinks"], ["Bread"], ["Milk"]],
        [["Shop", "Drinks"], ["Shop", "Bread"], ["Shop", "Milk"]],
        [["Shop", "All", "Drinks"], ["Shop", "All", "Bread"]],
        [["Drinks", "All drinks"], ["Bread", "All bread"]],
        [["Drinks"], ["Drinks"]],
        [[], []],
        [],
    ],
)
def test_nothing_counts_in_a_tree_that_is_flat_whatever_stands_above_or_below_it(paths) -> None:
    assert groups(paths) == [None] * len(paths)


def test_the_only_level_counts_when_it_is_named() -> None:
    assert groups([["Drinks"], ["Bread"], []], 1) == ["Drinks", "Bread", None]
    assert groups([["Shop", "Drinks"], ["Shop", "Bread"]], 2) == ["Shop > Drinks", "Shop > Bread"]


def test_a_level_that_is_not_there_tells_nothing_apart() -> None:
    assert groups([["Drinks"], ["Bread"]], 3) == [None, None]
    assert groups([["Drinks"], ["Drinks"]], 1) == [None, None]


def test_in_a_tree_that_is_mostly_flat_only_what_is_divided_counts() -> None:
    paths = [["Drinks"], ["Bread"], ["Food", "Fruit"], ["Food", "Milk"], ["Food"], []]
    assert groups(paths) == [None, None, "Food > Fruit", "Food > Milk", "Food", None]


names = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.lists(names, max_size=4), max_size=12), st.none() | st.integers(1, 3))
def test_what_counts_is_a_category_of_the_item_and_one_of_several(paths, level) -> None:
    items = catalogue(paths)
    levels = CategoryLevels.of(items)
    codes = levels.groups(items.category_codes, level)
    known = codes >= 0
    assert codes[0] == -1
    np.testing.assert_array_equal(codes[known], items.category_codes[known, (level or 3) - 1])
    if level is None and levels.broadest:
        above = items.category_codes[:, levels.broadest - 1]
        for broad in set(above[known].tolist()):
            assert len(set(codes[above == broad].tolist())) > 1
