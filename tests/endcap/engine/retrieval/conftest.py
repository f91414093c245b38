from datetime import UTC, datetime

import polars as pl
import pytest

from endcap.catalogue.item_table import ItemTable


@pytest.fixture
def small_catalogue() -> ItemTable:
    """Four items, a to d, of two categories."""
    count = 4
    return ItemTable.from_items(
        pl.DataFrame(
            {
                "item_id": list("abcd"),
                "title": [f"Item {name}" for name in "abcd"],
                "category_path": [["Food", "Fruit"], ["Food", "Fruit"], ["Food", "Dairy"], ["Food", "Dairy"]],
                "brand": ["Own"] * count,
                "price": [1.0] * count,
                "availability": ["in_stock"] * count,
                "created_at": [datetime(2026, 1, 1, tzinfo=UTC)] * count,
            }
        )
    )
