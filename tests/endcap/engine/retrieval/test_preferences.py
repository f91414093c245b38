import numpy as np
import polars as pl

from endcap.catalogue.item_table import ItemTable
from endcap.engine.retrieval.preferences import PopularWithin, in_turns, preferences_candidates
from endcap.features.columns import ITEM_NUMERIC


def everything(index: np.ndarray) -> np.ndarray:
    return np.ones(len(index), dtype=bool)


def table_of(items: ItemTable, purchases: list[float]) -> PopularWithin:
    features = {name: purchases if name == "purchases_90d" else [0.0] * len(purchases) for name in ITEM_NUMERIC}
    return PopularWithin.of(items.with_features(pl.DataFrame({"item_id": list("abcd"), **features})))


def test_the_most_bought_of_a_category_of_any_level_come_first(small_catalogue: ItemTable) -> None:
    table = table_of(small_catalogue, [1, 5, 9, 2])
    code = small_catalogue.categories.code
    assert preferences_candidates(table, [[code("Food > Fruit")]], [], everything, 10).index.tolist() == [2, 1]
    assert preferences_candidates(table, [[code("Food")]], [], everything, 10).index.tolist() == [3, 2, 4, 1]


def test_every_taste_has_its_turn(small_catalogue: ItemTable) -> None:
    table = table_of(small_catalogue, [1, 2, 30, 40])
    fruit, dairy = (small_catalogue.categories.code(name) for name in ("Food > Fruit", "Food > Dairy"))
    assert preferences_candidates(table, [[fruit], [dairy]], [], everything, 2).index.tolist() == [2, 4]


def test_brands_are_tastes_as_well(small_catalogue: ItemTable) -> None:
    table = table_of(small_catalogue, [4, 3, 2, 1])
    own = small_catalogue.brands.code("Own")
    assert preferences_candidates(table, [], [own], lambda index: index != 1, 2).index.tolist() == [2, 3]


def test_tastes_that_the_catalogue_does_not_know_give_nothing(small_catalogue: ItemTable) -> None:
    table = table_of(small_catalogue, [4, 3, 2, 1])
    assert not len(preferences_candidates(table, [[], [0]], [0], everything, 5).index)


def test_lists_take_turns_and_an_item_stands_once() -> None:
    lists = [np.array(items, np.int32) for items in ([1, 2, 3], [2, 4], [])]
    assert in_turns(lists).tolist() == [1, 2, 4, 3]
