"""A made shop of the same people and purchases with any number of views, most of them of nobody known, some followed by a cart."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from endcap.contracts.event import Event
from endcap.contracts.item import Item
from endcap.contracts.moment import DAY_S
from endcap.contracts.tables import arrow_schema
from endcap.dataset.layout import Dataset, write_description

START = datetime(2025, 1, 6, tzinfo=UTC)
WEEKS = 26
PEOPLE, ITEMS, TASTES = 2_000, 2_000, 50
BASKETS, BASKET_ITEMS = 13, 2
"""Of a person in all, and items of each."""
VISIT_VIEWS = 4
KNOWN_SHARE, CARTED_SHARE = 0.2, 0.1
"""Shares of the visits whose person is known, and of the views after which the item goes into the cart."""
BLOCK_VIEWS = 400_000


def write_views(folder: Path, views: int) -> Dataset:
    """Write a canonical dataset; of the same number of views always the same one.

    Args:
        folder: to be made.
        views: product views, of whole visits.
    """
    folder.mkdir(parents=True)
    _canonical(_items(), Item).write_parquet(folder / "items.parquet")
    writer: pq.ParquetWriter | None = None
    rows = 0
    for block in _blocks(views):
        table = _canonical(block, Event).to_arrow()
        writer = writer or pq.ParquetWriter(folder / "events.parquet", table.schema, compression="zstd")
        writer.write_table(table)
        rows += len(block)
    if writer is not None:
        writer.close()
    counts = {"events": rows, "items": ITEMS}
    end = START + timedelta(weeks=WEEKS)
    dataset = Dataset(folder, "made", "EUR", f"views-{views}", counts, dict.fromkeys(counts, 0), START, end)
    write_description(dataset)
    return dataset


def _blocks(views: int) -> Iterator[pl.DataFrame]:
    person = np.repeat(np.arange(PEOPLE), BASKETS * BASKET_ITEMS)
    basket = np.repeat(np.arange(PEOPLE * BASKETS), BASKET_ITEMS)
    yield _events(np.random.default_rng(0), "purchase", person, basket, np.ones(len(person), dtype=bool))
    for first in range(0, views, BLOCK_VIEWS):
        rng = np.random.default_rng(first + 1)
        count = min(BLOCK_VIEWS, views - first)
        visit = np.arange(first, first + count) // VISIT_VIEWS
        visits, place = np.unique(visit, return_inverse=True)
        person, known = rng.integers(0, PEOPLE, len(visits))[place], (rng.random(len(visits)) < KNOWN_SHARE)[place]
        looked = _events(rng, "product_view", person, visit, known)
        carted = looked.filter(pl.Series(rng.random(count) < CARTED_SHARE))
        yield looked
        yield carted.with_columns(
            pl.format("cart-{}", "event_id").alias("event_id"),
            pl.lit("add_to_cart").alias("event_type"),
            pl.col("occurred_at") + timedelta(seconds=20),
        )


def _events(rng: np.random.Generator, kind: str, person: np.ndarray, visit: np.ndarray, known: np.ndarray) -> pl.DataFrame:
    """Events of a type, those of a visit within some minutes; four of five of the person's taste."""
    count, prefix = len(person), kind[:2]
    width = ITEMS // TASTES
    item = np.where(rng.random(count) < 0.2, rng.integers(0, ITEMS, count), person % TASTES * width + rng.integers(0, width, count))
    visits, place = np.unique(visit, return_inverse=True)
    opened = rng.integers(0, int(WEEKS * 7 * DAY_S) - 3600, len(visits))[place]
    at = int(START.timestamp()) + opened + 60 * (np.arange(count) % VISIT_VIEWS)
    return pl.DataFrame({"person": person, "visit": visit, "item": item, "at": at, "known": known}).select(
        pl.format("{}{}-{}", pl.lit(prefix), "visit", pl.int_range(pl.len())).alias("event_id"),
        pl.lit(kind).alias("event_type"),
        pl.from_epoch("at").dt.cast_time_unit("us").dt.replace_time_zone("UTC").alias("occurred_at"),
        pl.when("known").then(pl.format("u{}", "person")).alias("user_id"),
        pl.format("{}{}", pl.lit(prefix), "visit").alias("session_id"),
        pl.format("i{}", "item").alias("item_id"),
        pl.lit(1.0 if kind == "purchase" else None, pl.Float64).alias("quantity"),
        pl.lit(5.0 if kind == "purchase" else None, pl.Float64).alias("unit_price"),
        pl.lit(True).alias("consent"),
    )


def _items() -> pl.DataFrame:
    numbers = range(ITEMS)
    return pl.DataFrame(
        {
            "item_id": [f"i{number}" for number in numbers],
            "title": [f"Thing {number}" for number in numbers],
            "category_path": [["Shop", f"Shelf {number // (ITEMS // TASTES)}"] for number in numbers],
            "price": [1.0 + number % 7 for number in numbers],
            "availability": "in_stock",
            "attributes": "{}",
        }
    )


def _canonical(rows: pl.DataFrame, contract: type) -> pl.DataFrame:
    """With every column of the contract, those that are not made empty."""
    schema = pl.DataFrame(pa.schema(arrow_schema(contract)).empty_table()).schema
    return rows.select((pl.col(name) if name in rows.columns else pl.lit(None)).cast(dtype).alias(name) for name, dtype in schema.items())
