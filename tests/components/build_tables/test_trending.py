from datetime import UTC, datetime, timedelta

import polars as pl

from endcap.engine.retrieval.popular import OVERALL
from endcap.features.columns import USER_CATEGORICAL
from endcap_components.build_tables.popularity import SEGMENT_USERS_MIN, trending_at

NOW = datetime(2026, 2, 1, tzinfo=UTC)
NORTH = [f"n{number}" for number in range(SEGMENT_USERS_MIN)]
SOUTH = [f"s{number}" for number in range(SEGMENT_USERS_MIN)]


def purchases(rows: list[tuple[str, int, float]]) -> pl.DataFrame:
    """User, item and how many days ago."""
    return pl.DataFrame(
        {
            "user_id": [user for user, _, _ in rows],
            "item_index": [item for _, item, _ in rows],
            "session_id": [f"{user}-{ago}" for user, _, ago in rows],
            "occurred_at": [NOW - timedelta(days=ago) for _, _, ago in rows],
        },
        schema_overrides={"item_index": pl.Int32},
    )


def users() -> pl.DataFrame:
    regions = ["north"] * len(NORTH) + ["south"] * len(SOUTH)
    columns = {name: regions if name == "region" else [None] * len(regions) for name in USER_CATEGORICAL}
    return pl.DataFrame({"user_id": NORTH + SOUTH, **columns})


def steady(buyers: list[str], item: int) -> list[tuple[str, int, float]]:
    return [(user, item, ago) for user in buyers for ago in (2.0, 10.0, 17.0, 24.0, 31.0)]


def test_what_sells_more_than_usual_trends_where_it_does() -> None:
    rise = [(user, 2, 3.0) for user in NORTH[:20]]
    table = trending_at(purchases([*steady(NORTH + SOUTH, 1), *rise]), users(), NOW)
    assert table.by_segment[OVERALL].index.tolist() == [2]
    assert set(table.by_segment) == {OVERALL, "region=north"}


def test_a_busy_week_of_the_whole_shop_is_no_trend() -> None:
    everything_doubles = [(user, item, ago) for user in NORTH for item in range(1, 6) for ago in (1.0, 5.0, 10.0, 17.0, 24.0, 31.0)]
    assert not len(trending_at(purchases(everything_doubles), users(), NOW).by_segment[OVERALL].index)


def test_neither_old_nor_future_purchases_count() -> None:
    far = [(user, 2, ago) for user in NORTH for ago in (60.0, -3.0)]
    assert not len(trending_at(purchases([*steady(NORTH, 1), *far]), users(), NOW).by_segment[OVERALL].index)
