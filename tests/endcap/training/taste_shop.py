"""A made shop whose customers have tastes: enough structure for a model to learn in seconds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from endcap.contracts.tables import TABLES, arrow_schema

TASTES = 4
ITEMS_A_TASTE = 25
START = datetime(2025, 1, 6, 9, tzinfo=UTC)


def write_taste_shop(folder: Path, users: int = 80, weeks: int = 26, seed: int = 0) -> Path:
    """A canonical dataset: every customer has a taste, staples bought most weeks, and tries something else of the taste now and then.

    Items t0-i00, t0-i01, ... belong to taste 0; item `never` was never bought.
    """
    rng = np.random.default_rng(seed)
    names = [f"t{taste}-i{number:02}" for taste in range(TASTES) for number in range(ITEMS_A_TASTE)]
    rows = []
    for user in range(users):
        own = [name for name in names if name.startswith(f"t{user % TASTES}-")]
        staples = rng.choice(own, 4, replace=False)
        for week in range(weeks):
            if rng.random() < 0.15:
                continue
            at = START + timedelta(days=7 * week + int(rng.integers(0, 6)), hours=int(rng.integers(0, 10)))
            tried = rng.choice(own, 2, replace=False)
            stray = rng.choice(names, 1)
            basket = {*staples[rng.random(4) < 0.8], *tried, *stray[rng.random(1) < 0.3]}
            rows += [(f"u{user:03}", item, at, f"{user}-{week}") for item in sorted(basket)]
    _write(folder, "events", _events(rows))
    _write(folder, "items", _items([*names, "never"]))
    segments = [{"user_id": f"u{user:03}", "age_band": "25-34" if user % 4 else None, "attributes": "{}"} for user in range(users)]
    _write(folder, "users", pl.DataFrame(segments))
    return folder


def _events(rows: list[tuple[str, str, datetime, str]]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["user_id", "item_id", "occurred_at", "session_id"], orient="row")
    return frame.with_columns(
        pl.format("e{}", pl.int_range(pl.len())).alias("event_id"),
        pl.lit("purchase").alias("event_type"),
        pl.lit(1).alias("schema_version"),
        pl.col("occurred_at").alias("received_at"),
        pl.lit(1.0).alias("quantity"),
        pl.lit(2.0).alias("unit_price"),
        pl.lit(0.0).alias("unit_discount"),
        pl.lit("USD").alias("currency"),
        pl.lit("till").alias("device"),
        pl.lit(True).alias("consent"),
    )


def _items(names: list[str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "item_id": names,
            "title": [f"Thing {name}" for name in names],
            "category_path": [["Shop", f"Taste {name[1] if name != 'never' else 0}"] for name in names],
            "brand": ["Acme" if number % 2 else "Best" for number in range(len(names))],
            "price": [1.0 + number % 7 for number in range(len(names))],
            "availability": "in_stock",
            "created_at": START,
            "attributes": "{}",
        }
    )


def _write(folder: Path, name: str, frame: pl.DataFrame) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([field.with_nullable(True) for field in arrow_schema(TABLES[name])])
    present = frame.to_arrow()
    columns = [
        present[field.name].cast(field.type) if field.name in present.column_names else pa.nulls(len(frame), field.type) for field in schema
    ]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), folder / f"{name}.parquet")
