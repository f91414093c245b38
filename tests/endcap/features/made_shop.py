"""Small made-up shops in the canonical form, for tests of features."""

import random
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from endcap.contracts.tables import TABLES, arrow_schema

Row = dict[str, Any]


def moment(text: str) -> datetime:
    """An instant from ISO text without a zone, taken as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def purchase(user_id: str | None, item_id: str, at: datetime, **given: Any) -> Row:
    """A purchase line; unless told otherwise one unit for 1.00 without discount, in a basket of its user and moment."""
    row = {
        "event_id": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{user_id} {item_id} {at} {given}")),
        "event_type": "purchase",
        "schema_version": 1,
        "occurred_at": at,
        "received_at": at,
        "user_id": user_id,
        "session_id": f"{user_id} {at.isoformat()}",
        "item_id": item_id,
        "quantity": 1.0,
        "unit_price": 1.0,
        "unit_discount": 0.0,
        "currency": "USD",
        "store_id": "s1",
        "consent": True,
    }
    return row | given


def item(item_id: str, **given: Any) -> Row:
    row = {"item_id": item_id, "title": item_id, "category_path": ["Food"], "availability": "in_stock", "attributes": "{}"}
    return row | given


def user(user_id: str, **given: Any) -> Row:
    return {"user_id": user_id, "attributes": "{}"} | given


def write_shop(
    folder: Path, events: list[Row], items: list[Row], users: list[Row] | None = None, promotions: list[Row] | None = None
) -> Path:
    """Write a canonical dataset; `users` and `promotions` are left out when None."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in {"events": events, "items": items, "users": users, "promotions": promotions}.items():
        if rows is not None:
            schema = arrow_schema(TABLES[name])
            full = [{field.name: row.get(field.name) for field in schema} for row in rows]
            nullable = pa.schema([field.with_nullable(True) for field in schema])
            pq.write_table(pa.Table.from_pylist(full, schema=nullable), folder / f"{name}.parquet")
    return folder


def random_events(seed: int, weeks: int = 14, users: int = 8, items: int = 15, start: str = "2025-01-01T10:00:00") -> list[Row]:
    """Baskets at random moments of whole seconds, Monday midnights among them; all event types that features read."""
    rng = random.Random(seed)
    first = moment(start)
    events = []
    for number in range(users * weeks):
        at = first + timedelta(seconds=rng.randrange(weeks * 7 * 86_400))
        if rng.random() < 0.1:
            at = (at - timedelta(days=at.weekday())).replace(hour=0, minute=0, second=0)
        user_id = f"u{rng.randrange(users)}" if rng.random() < 0.95 else None
        for line in range(rng.randrange(1, 5)):
            events.append(
                purchase(
                    user_id,
                    f"i{rng.randrange(items)}",
                    max(at, first),
                    session_id=f"{seed} {number}",
                    event_id=str(uuid.UUID(int=rng.getrandbits(128))),
                    event_type="purchase" if line == 0 else rng.choice(["purchase", "purchase", "product_view", "add_to_cart"]),
                    quantity=float(rng.randrange(1, 4)),
                    unit_price=rng.randrange(1, 40) / 4,
                    unit_discount=rng.choice([0.0, 0.0, 0.5]),
                    store_id=rng.choice(["s1", "s2", None]),
                )
            )
    return events


def random_shop(folder: Path, seed: int, events: list[Row] | None = None) -> Path:
    """A shop with everything features read; `events` replaces the seed's own."""
    rng = random.Random(seed)
    items = [
        item(
            f"i{number}",
            category_path=rng.choice([["Food", "Fruit"], ["Food", "Bread"], ["Home"], []]),
            brand=rng.choice(["Acme", "Best", None]),
            price=rng.choice([2.5, 9.0, None]),
            created_at=rng.choice([moment("2024-12-01T00:00:00"), None]),
        )
        for number in range(17)
    ]
    users = [user(f"u{number}", age_band=rng.choice(["25-34", None])) for number in range(6)]
    promotions = [
        {
            "item_id": f"i{rng.randrange(15)}",
            "store_id": rng.choice(["s1", "s2", "s3", None]),
            "starts_at": moment("2024-12-30T05:00:00") + timedelta(weeks=week),
            "ends_at": moment("2025-01-06T05:00:00") + timedelta(weeks=week),
            "display": rng.choice(["front", None]),
            "mailer": rng.choice(["page 1", None]),
        }
        for week in range(16)
        for _ in range(4)
    ]
    return write_shop(folder, random_events(seed) if events is None else events, items, users, promotions)
