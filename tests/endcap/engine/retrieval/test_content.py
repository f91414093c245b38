from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.engine.retrieval.content import LISTED, NEW_DAYS, ContentTable, content_candidates
from endcap.engine.retrieval.preferences import PopularWithin
from endcap.engine.retrieval.shares import Shares
from endcap.features.columns import ITEM_NUMERIC
from tests.endcap.engine.retrieval.made_states import made_state

DAY = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = made_state()


def everything(index: np.ndarray) -> np.ndarray:
    return np.ones(len(index), dtype=bool)


def shop(
    leaf: list[str], brand: list[str], purchases: list[float], price: list[float] | None = None, age_days: list[float] | None = None
) -> ContentTable:
    """Items 1, 2, ... in this order, each created a day after the one before; those that were bought have neighbours."""
    count = len(leaf)
    ids = [f"i{number:05}" for number in range(count)]
    rows = pl.DataFrame(
        {
            "item_id": ids,
            "title": ids,
            "category_path": [["Food", name] for name in leaf],
            "brand": brand,
            "price": price or [1.0] * count,
            "availability": ["in_stock"] * count,
            "created_at": [DAY + timedelta(days=number) for number in range(count)],
        }
    )
    features = {name: [0.0] * count for name in ITEM_NUMERIC} | {"purchases_90d": purchases, "item_age_days": age_days or [0.0] * count}
    items = ItemTable.from_items(rows).with_features(pl.DataFrame({"item_id": ids, **features}))
    embeddings = np.zeros((count + 1, 3), np.float32)
    embeddings[1:, 0] = 1
    return ContentTable.of(items, embeddings, np.array([0, *purchases]) > 0, PopularWithin.of(items))


def found(table: ContentTable, seeds: list[int], state: object = NOBODY, quota: int = 10) -> list[int]:
    return content_candidates(table, state, np.array(seeds, np.int32), everything, quota).index.tolist()  # type: ignore[arg-type]


def test_new_items_of_the_seeds_category_are_found_and_known_ones_left_to_other_sources() -> None:
    table = shop(["tea", "tea", "tea", "soap"], ["x"] * 2 + ["y"] * 2, [5, 9, 0, 0])
    assert found(table, [1]) == [3]


def test_category_and_brand_together_beat_the_category() -> None:
    table = shop(["tea"] * 4, ["x", "y", "x", "y"], [5, 0, 0, 0])
    assert found(table, [1])[0] == 3


def test_a_persons_favourites_bring_new_items_without_any_seed() -> None:
    table = shop(["tea", "soap", "rice"], ["x", "y", "z"], [0, 0, 0])
    soap, brand = table.items.categories.code("Food > soap"), table.items.brands.code("z")
    state = made_state(
        leaf_share=Shares(np.array([soap], np.int32), np.array([0.7], np.float32)),
        brand_share=Shares(np.array([brand], np.int32), np.array([0.2], np.float32)),
    )
    assert found(table, [], state) == [2, 3]


def test_beside_a_new_product_stands_what_sells_in_its_category_then_above_it() -> None:
    table = shop(["tea", "tea", "soap"], ["x", "y", "z"], [0, 4, 9])
    assert found(table, [1]) == [2, 3]


def test_closeness_of_the_price_decides_between_equals() -> None:
    table = shop(["tea"] * 4, ["x"] * 4, [5, 0, 0, 0], price=[10, 30, 11, 100])
    assert found(table, [1])[0] == 3


def test_the_embedding_decides_between_equals() -> None:
    table = shop(["tea"] * 4, ["x"] * 4, [5, 0, 0, 0])
    table.embeddings[2:5] = [[0, 1, 0], [0.1, 0, 0.995], [0, 1, 0]]
    assert found(table, [1])[0] == 3


def test_unknown_prices_do_no_harm() -> None:
    table = shop(["tea"] * 3, ["x"] * 3, [5, 0, 0], price=[float("nan")] * 3)
    assert sorted(found(table, [1])) == [2, 3]


@pytest.mark.parametrize("quota", [1, 5])
def test_the_quota_is_spent_on_what_may_be_shown_however_far_back_it_stands(quota: int) -> None:
    count = 3 * LISTED[0]
    table = shop(["tea"] * count, ["x"] * count, [5, *[0] * (count - 1)])
    last = np.arange(2, 2 + quota)
    result = content_candidates(table, NOBODY, np.array([1], np.int32), lambda index: np.isin(index, last), quota)
    assert sorted(result.index.tolist()) == last.tolist()


def test_what_has_been_there_for_long_and_never_sold_is_not_new() -> None:
    assert found(shop(["tea"] * 3, ["x"] * 3, [5, 0, 0], age_days=[300.0, NEW_DAYS, 10.0]), [1]) == [3]


def test_the_newest_of_many_come_first_and_those_of_unknown_age_last() -> None:
    count = 5
    table = shop(["tea"] * count, ["x"] * count, [5, 0, 0, 0, 0])
    table.items.created_at_s[3] = np.iinfo(np.int64).min
    again = ContentTable.of(table.items, table.embeddings, table.has_neighbours, table.popular)
    assert found(again, [1]) == [5, 4, 2, 3]


def test_nothing_known_gives_nothing() -> None:
    assert found(shop(["tea"], ["x"], [0]), []) == []
