from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.features.columns import ITEM_NUMERIC


@pytest.fixture
def rows() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "item_id": ["b", "a", "c"],
            "title": ["Butter", "Äpple", "Crisps"],
            "category_path": [["Food", "Dairy", "Butter"], ["Food", "Fruit"], []],
            "brand": ["Own", None, "Own"],
            "price": [2.5, None, 1.0],
            "margin": [0.25, None, -0.5],
            "availability": ["in_stock", "in_stock", "out_of_stock"],
            "created_at": [datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), None],
        },
        schema_overrides={"category_path": pl.List(pl.String)},
    )


@pytest.fixture
def items(rows: pl.DataFrame) -> ItemTable:
    return ItemTable.from_items(rows)


@pytest.fixture
def catalogue(items: ItemTable) -> ItemTable:
    """The items with features: prices 0, 2.5 and 1, and 8 purchases in 28 days."""
    features = {name: np.zeros(3, np.float32) for name in ITEM_NUMERIC}
    features |= {
        "price": np.array([0, 2.5, 1], np.float32),
        "price_to_category": np.array([1, 2, 0.5], np.float32),
        "purchases_28d": np.full(3, 8, np.float32),
    }
    return items.with_features(pl.DataFrame({"item_id": ["a", "b", "c"], **features}))
