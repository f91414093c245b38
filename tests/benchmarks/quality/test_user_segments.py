import numpy as np
import polars as pl

from endcap_benchmarks.quality.task import TaskCatalogue, user_segments

ITEMS = 12
USERS = 120


def catalogue(tops: int) -> TaskCatalogue:
    return TaskCatalogue.of(
        pl.DataFrame(
            {
                "item_id": [f"i{item:02}" for item in range(ITEMS)],
                "title": ["Thing"] * ITEMS,
                "category_path": [[f"top {item % tops}", f"shelf {item % 4}"] for item in range(ITEMS)],
                "brand": ["b"] * ITEMS,
                "price": [1.0] * ITEMS,
                "availability": ["in_stock"] * ITEMS,
                "created_at": [None] * ITEMS,
                "attributes": ["{}"] * ITEMS,
            },
            schema_overrides={"created_at": pl.Datetime("us", "UTC")},
        )
    )


def history() -> pl.DataFrame:
    """User u buys items of shelf u % 4 only, three of them, the dearer the higher u % 3; every other user came last week."""
    rows = [
        {
            "user_id": f"u{user:03}",
            "item_index": 1 + user % 4 + 4 * step,
            "age_days": 3.0 if user % 2 else 300.0,
            "unit_price": 1.0 + user % 3,
        }
        for user in range(USERS)
        for step in range(3)
    ]
    return pl.DataFrame(rows)


IDS = [f"u{user:03}" for user in range(USERS)]


def test_people_are_told_apart_by_price_taste_and_how_new_they_are() -> None:
    parts = user_segments(history(), IDS, catalogue(1), knows_times=True)
    for level, name in enumerate(("low", "middle", "high")):
        assert np.flatnonzero(parts[f"price level: {name}"]).tolist() == [user for user in range(USERS) if user % 3 == level]
    assert parts["new: first bought within 28 days"].tolist() == [bool(user % 2) for user in range(USERS)]
    shelves = [name for name in parts if name.startswith("buys most")]
    assert shelves == [f"buys most: top 0 > shelf {shelf}" for shelf in range(4)]


def test_the_broadest_level_at_which_people_differ_is_taken() -> None:
    parts = user_segments(history(), IDS, catalogue(4), knows_times=True)
    assert [name for name in parts if name.startswith("buys most")] == [f"buys most: top {top}" for top in range(4)]


def test_an_order_without_times_makes_nobody_new_and_no_prices_no_levels() -> None:
    parts = user_segments(history().with_columns(unit_price=0.0), IDS, catalogue(1), knows_times=False)
    assert not [name for name in parts if name.startswith(("new", "price"))]


def test_a_segment_of_everybody_is_none() -> None:
    parts = user_segments(history(), IDS, catalogue(1), knows_times=True)
    assert all(0 < part.sum() < USERS for part in parts.values())
