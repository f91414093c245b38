"""What the parts hold after the week, read as anybody may read it: from the topic, the feature store and the files."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import redis

from endcap.contracts.probe import PROBE
from endcap.core.settings import Settings
from endcap.events.schemas.frame import opened
from endcap.features.store.open import open_for_requests
from tests.events_week.shop import Shop
from tests.services.stream.redis_home import PASSWORD

SESSION_FEATURES = {
    "session_item_ids": "item_ids",
    "session_event_types": "event_types",
    "session_cart_item_ids": "cart",
    "session_queries": "queries",
    "session_dwell_ms": "dwell_ms",
}
ROWS_AT_ONCE = 500


def topic_values(shop: Shop) -> list[bytes]:
    """JSON of each message of the topic of events, in no order."""
    return [opened(message.value() or b"").json for message in shop.broker.all_messages(f"{shop.topics}.events.v1")]


def topic_events(shop: Shop) -> pl.DataFrame:
    """`event_id`, `event_type`, a row an event, however often it stands there; probes left out."""
    events = [event for value in topic_values(shop) if (event := json.loads(value))["event_type"] != PROBE]
    return pl.DataFrame([(each["event_id"], each["event_type"]) for each in events], ["event_id", "event_type"], orient="row").unique()


def counted_ids(home: Path) -> set[str]:
    """Ids of the events that the stream counted."""
    with closing(sqlite3.connect(home / "stream" / "state.sqlite")) as state:
        return {row[0] for row in state.execute("SELECT event_id FROM seen")}


def sessions(settings: Settings, session_ids: Sequence[str]) -> pl.DataFrame:
    """Columns as of `Expected.sessions`; a visit that the store does not know has nulls."""
    rows = _rows(settings, [f"session_signals:{name}" for name in SESSION_FEATURES], "session_id", session_ids)
    return rows.rename(SESSION_FEATURES).select("session_id", *SESSION_FEATURES.values())


def bought(settings: Settings, user_ids: Sequence[str]) -> pl.DataFrame:
    """Columns as of `Expected.bought`."""
    rows = _rows(settings, ["user_recent:recent_bought_item_ids"], "user_id", user_ids)
    return rows.select("user_id", pl.col("recent_bought_item_ids").list.unique().list.sort().alias("item_ids"))


def _rows(settings: Settings, features: Sequence[str], entity: str, ids: Sequence[str]) -> pl.DataFrame:
    store = open_for_requests(settings)
    parts = []
    for begin in range(0, len(ids), ROWS_AT_ONCE):
        some: list[dict[str, Any]] = [{entity: each} for each in ids[begin : begin + ROWS_AT_ONCE]]
        parts.append(pl.DataFrame(store.get_online_features(features=list(features), entity_rows=some).to_dict(), strict=False))
    return pl.concat(parts, how="vertical_relaxed").sort(entity)


def counters(home: Path) -> pl.DataFrame:
    """Columns as of `Expected.counters`."""
    counts = pl.read_parquet(home / "live" / "item_counters.parquet").filter(pl.col("region") == "")
    return counts.select("item_id", baskets="purchases_7d").sort("item_id")


def outcomes(home: Path) -> pl.DataFrame:
    """Columns as of `Expected.outcomes`."""
    rows = pl.concat([pl.read_parquet(file) for file in sorted((home / "outcomes").glob("*.parquet"))])
    place = ("request_id", "item_id", "position", "objective")
    chosen = rows.select(*place, "events", pl.col("followed_at").dt.epoch("us"), "rule", pl.col("value").round(9))
    return chosen.sort(chosen.columns, nulls_last=True)


def places_of(shop: Shop, text: bytes) -> Iterator[str]:
    """Where a text stands: values of the topic, keys and values of Redis, files of the home."""
    if any(text in value for value in topic_values(shop)):
        yield "topic"
    with redis.Redis(port=shop.redis.port, password=PASSWORD) as client:
        for key in client.scan_iter("*", 1_000):
            if text in key or any(text in part for pair in client.hgetall(key).items() for part in pair):
                yield f"Redis, {key!r}"
    for file in sorted(shop.home.settings.home.rglob("*")):
        if file.is_file() and text in file.read_bytes():
            yield str(file)
