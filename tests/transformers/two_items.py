"""The smallest catalogue that changes while it is served."""

from datetime import datetime

import polars as pl

from endcap.catalogue.item_table import ItemTable


def two_items(price_a: float, price_b: float, created_at: datetime) -> ItemTable:
    """Items a and b, in stock."""
    return ItemTable.from_items(
        pl.DataFrame(
            {
                "item_id": ["a", "b"],
                "title": ["A", "B"],
                "category_path": [["x"], ["x"]],
                "brand": ["m", "m"],
                "price": [price_a, price_b],
                "availability": ["in_stock"] * 2,
                "created_at": [created_at] * 2,
            }
        )
    )
