"""Live counts stand in for the bundle's tables where there is enough of them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from endcap.catalogue.changes.trend_file import trends_of
from endcap.catalogue.vocabulary import Vocabulary
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.popular import OVERALL, Popularity
from endcap.engine.retrieval.shop_trends import ShopTrends
from endcap.events.stream.item_counters import COUNTS_SCHEMA
from endcap_components.build_tables.popularity import trending_at

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ITEMS = Vocabulary([f"i{number:02}" for number in range(1, 41)])


def table(*index: int) -> Candidates:
    return Candidates(np.array(index, np.int32), np.linspace(1, 0.5, len(index)).astype(np.float32))


OWN = ShopTrends(
    Popularity({OVERALL: table(1, 2, 3), "region=north": table(4, 5)}), Popularity({OVERALL: table(6), "region=north": table(7)})
)


def live(region: str, *rows: tuple[str, int, int]) -> pl.DataFrame:
    """Item, baskets of the last week, and of the four before."""
    full = [
        {"item_id": item, "region": region, "as_of": NOW, "purchases_7d": week, "purchases_28d": week, "purchases_35d": week + usual}
        for item, week, usual in rows
    ]
    return trends_of(pl.DataFrame(full, schema={name: kind for name, kind in COUNTS_SCHEMA.items() if name != "trend"}))


def with_live(rows: pl.DataFrame, newer_than: datetime = NOW - timedelta(days=1)) -> ShopTrends:
    return OWN.with_live(rows, ITEMS, newer_than=newer_than, purchases_min=100)


def test_what_is_bought_most_now_comes_first_and_the_bundles_items_after_it() -> None:
    found = with_live(live("", ("i09", 90, 50), ("i02", 10, 50), ("stranger", 5, 0)))
    assert found.popular.by_segment[OVERALL].index.tolist() == [9, 2, 1, 3]
    assert found.trending.by_segment[OVERALL].index.tolist() == [9]
    assert found.popular.by_segment["region=north"].index.tolist() == [4, 5], "of the region nothing is known"
    assert found.live_segments == (OVERALL,)
    score = found.popular.by_segment[OVERALL].score
    assert score[0] == 1 and np.all(np.diff(score) < 0) and score[-1] > 0


@pytest.mark.parametrize(
    ("week", "usual", "popular", "trending"),
    [(99, 400, [4, 5], [7]), (120, 99, [9, 4, 5], [7]), (120, 100, [9, 4, 5], [])],
)
def test_too_little_evidence_leaves_the_bundles_tables(week: int, usual: int, popular: list[int], trending: list[int]) -> None:
    found = with_live(live("north", ("i09", week, usual)))
    assert found.popular.by_segment["region=north"].index.tolist() == popular
    assert found.trending.by_segment["region=north"].index.tolist() == trending
    assert found.popular.by_segment[OVERALL] is OWN.popular.by_segment[OVERALL]


def test_a_region_that_the_bundle_does_not_know_gets_tables() -> None:
    found = with_live(live("south", ("i09", 200, 100)))
    assert found.popular.candidates(["region=south"], 2).index.tolist() == [1, 9]
    assert found.live_segments == ("region=south",)


def test_a_bundle_with_newer_data_knows_better() -> None:
    assert with_live(live("", ("i09", 900, 900)), newer_than=NOW).popular == OWN.popular


def test_nothing_that_the_bundle_knows_changes_nothing() -> None:
    assert with_live(live("", ("stranger", 900, 900))).popular == OWN.popular


def test_live_trends_are_the_trends_that_a_bundle_of_the_same_purchases_would_have() -> None:
    chance = np.random.default_rng(7)
    count = 3_000
    item = (40 * chance.random(count) ** 2).astype(np.int32) + 1
    age_s = chance.integers(1, 35 * 86_400, count)
    bought = pl.DataFrame(
        {
            "user_id": [f"u{number}" for number in range(count)],
            "session_id": [f"s{number}" for number in range(count)],
            "item_index": item,
            "occurred_at": [NOW - timedelta(seconds=int(age)) for age in age_s],
        }
    )
    batch = trending_at(bought, pl.DataFrame(schema={"user_id": pl.String(), **dict.fromkeys(_CATEGORIES, pl.String())}), NOW)
    recent, usual = (np.bincount(item[which], minlength=41) for which in (age_s <= 7 * 86_400, age_s > 7 * 86_400))
    found = with_live(live("", *((ITEMS.name(code), int(recent[code]), int(usual[code])) for code in range(1, 41))))
    expected, trending = batch.by_segment[OVERALL], found.trending.by_segment[OVERALL]
    assert trending.index.tolist() == expected.index.tolist()
    np.testing.assert_allclose(trending.score, expected.score, rtol=1e-5)


_CATEGORIES = ("region", "age_band", "income_band", "household_size", "household_composition")
