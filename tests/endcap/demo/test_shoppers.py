from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from endcap.contracts.request import Instance
from endcap.demo.scenes import latency_instances, scenes
from endcap.demo.shoppers import choose_cast

START = datetime(2026, 1, 1, tzinfo=UTC)
USERS, ITEMS = 21, 12


@pytest.fixture
def dataset_dir(tmp_path: Path) -> Path:
    """User n has n baskets; item i is bought by all users numbered above i, so item 0 is the most popular."""
    rows = [
        {
            "event_type": "purchase",
            "user_id": f"u{user:02}",
            "session_id": f"u{user:02}-{basket}",
            "item_id": f"i{item:02}",
            "occurred_at": START + timedelta(days=basket),
        }
        for user in range(1, USERS + 1)
        for basket in range(user)
        for item in range(min(user, ITEMS))
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "events.parquet")
    items = [{"item_id": f"i{item:02}", "title": f"Item {item}", "category_path": ["Shop", f"Shelf {item}"]} for item in range(ITEMS)]
    pl.DataFrame(items).write_parquet(tmp_path / "items.parquet")
    return tmp_path


def test_the_cast_spans_habits_and_is_repeatable(dataset_dir: Path) -> None:
    cast = choose_cast(dataset_dir)
    often, sometimes, rarely = (shopper.baskets for shopper in cast.shoppers)
    assert often > sometimes > rarely > 1
    assert choose_cast(dataset_dir) == cast


def test_products_are_popular_and_of_different_shelves(dataset_dir: Path) -> None:
    cast = choose_cast(dataset_dir)
    shown = [*cast.session_items, cast.product, *cast.cart]
    assert shown == [f"i{item:02}" for item in range(7)]


def test_every_scene_is_a_valid_request(dataset_dir: Path) -> None:
    cast = choose_cast(dataset_dir)
    surfaces = [Instance.model_validate(scene.instance).surface for scene in scenes(cast, "visit")]
    assert surfaces == ["home", "home", "home", "product", "cart"]
    assert len([Instance.model_validate(each) for each in latency_instances(cast, "visit", 13)]) == 13
