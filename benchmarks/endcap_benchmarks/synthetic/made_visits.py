"""A made shop on the web: people view, cart, buy at once, come back for what they left in the cart, or never do."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from endcap.contracts.event import EventType
from endcap.contracts.tables import TABLES, arrow_schema

START = datetime(2026, 1, 5, tzinfo=UTC)
CATEGORIES = 12
VIEWS_A_VISIT = 6
CARTED = 0.3
"""Share of views after which the item goes into the cart."""
BOUGHT_AT_ONCE, BOUGHT_LATER, TAKEN_OUT = 0.4, 0.25, 0.15
"""Shares of carted items; the rest stays in the cart for good."""
LATER_DAYS = 20

Row = dict[str, Any]


def write_visits(folder: Path, people: int, items: int, weeks: int, seed: int) -> Path:
    """Write a canonical dataset of about a visit a person and week; everything random follows from the seed."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    events = [event for person in range(people) for event in _of_person(f"u{person}", items, weeks, rng)]
    catalogue = [
        {
            "item_id": f"i{number}",
            "title": f"Item {number}",
            "category_path": [f"Category {number % CATEGORIES}"],
            "availability": "in_stock",
        }
        for number in range(items)
    ]
    for name, rows in (("events", events), ("items", [row | {"attributes": "{}"} for row in catalogue])):
        schema = arrow_schema(TABLES[name])
        nullable = pa.schema([field.with_nullable(True) for field in schema])
        table = pa.Table.from_pylist([{field.name: row.get(field.name) for field in schema} for row in rows], schema=nullable)
        pq.write_table(table, folder / f"{name}.parquet")
    return folder


def _of_person(user_id: str, items: int, weeks: int, rng: np.random.Generator) -> Iterator[Row]:
    favourites = rng.choice(CATEGORIES, 3, replace=False)
    for week in range(weeks):
        opened = START + timedelta(weeks=week, seconds=int(rng.integers(7 * 86_400)))
        for view in range(rng.poisson(VIEWS_A_VISIT)):
            # The first items of a category are viewed most.
            place = min(int(rng.geometric(0.12)) - 1, items // CATEGORIES - 1)
            item_id = f"i{place * CATEGORIES + int(rng.choice(favourites))}"
            yield from _of_view(user_id, item_id, opened + timedelta(minutes=2 * view), opened, rng)


def _of_view(user_id: str, item_id: str, at: datetime, opened: datetime, rng: np.random.Generator) -> Iterator[Row]:
    def event(kind: EventType, moment: datetime, visit: datetime) -> Row:
        row = {
            "event_id": str(uuid.UUID(bytes=rng.bytes(16))),
            "event_type": kind.value,
            "schema_version": 1,
            "occurred_at": moment,
            "received_at": moment,
            "user_id": user_id,
            "session_id": f"{user_id} {visit.isoformat()}",
            "item_id": item_id,
            "consent": True,
            "consent_analytics": True,
        }
        return row | ({"quantity": 1.0, "unit_price": 10.0, "currency": "EUR"} if kind is EventType.PURCHASE else {})

    yield event(EventType.PRODUCT_VIEW, at, opened)
    if rng.random() >= CARTED:
        return
    yield event(EventType.ADD_TO_CART, at + timedelta(seconds=20), opened)
    fate = rng.random()
    later = at + timedelta(days=float(rng.uniform(1, LATER_DAYS)))
    if fate < BOUGHT_AT_ONCE:
        yield event(EventType.PURCHASE, at + timedelta(minutes=40), opened)
    elif fate < BOUGHT_AT_ONCE + BOUGHT_LATER:
        yield event(EventType.PURCHASE, later, later)
    elif fate < BOUGHT_AT_ONCE + BOUGHT_LATER + TAKEN_OUT:
        yield event(EventType.REMOVE_FROM_CART, later, later)
