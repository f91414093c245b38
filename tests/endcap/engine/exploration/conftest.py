from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.engine.exploration.evidence import Evidence


def shop(items: int = 40) -> ItemTable:
    """Items i000, i001, ... of four categories with two brands in each."""
    rows = pl.DataFrame(
        {
            "item_id": [f"i{number:03}" for number in range(items)],
            "title": ["thing"] * items,
            "category_path": [[f"aisle {number % 4}"] for number in range(items)],
            "brand": [f"brand {number % 8}" for number in range(items)],
            "price": [1.0] * items,
            "availability": ["in_stock"] * items,
            "created_at": [datetime(2026, 1, 1, tzinfo=UTC)] * items,
        }
    )
    return ItemTable.from_items(rows)


@pytest.fixture(scope="session")
def items() -> ItemTable:
    return shop()


@pytest.fixture(scope="session")
def evidence(items: ItemTable) -> Evidence:
    """Every third item is new; the others were shown a lot and clicked at rates from 1 % to 10 %."""
    random = np.random.default_rng(3)
    known = np.arange(40) % 3 > 0
    impressions = np.where(known, random.uniform(100, 800, 40), random.uniform(0, 20, 40))
    counted = pl.DataFrame(
        {"item_id": [f"i{n:03}" for n in range(40)], "impressions": impressions, "clicks": impressions * random.uniform(0.01, 0.1, 40)}
    )
    return Evidence.of(items, counted)
