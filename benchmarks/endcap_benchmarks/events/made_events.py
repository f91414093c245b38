"""Events of a made-up shop, as columns: what the collector is sent and what the stream reads are made of the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
import polars.selectors as cs
from numpy.typing import NDArray

from endcap.contracts.event_type import NEEDS_ITEM, EventType
from endcap.events.log.reader import event_schema

MIX: Mapping[EventType, float] = {
    EventType.PRODUCT_VIEW: 0.45,
    EventType.PAGE_VIEW: 0.12,
    EventType.DWELL: 0.13,
    EventType.CLICK: 0.12,
    EventType.ADD_TO_CART: 0.08,
    EventType.REMOVE_FROM_CART: 0.01,
    EventType.SEARCH: 0.06,
    EventType.PURCHASE: 0.03,
}
"""Types that a shop sends, and their share."""

SERVED_SHARE = 0.3
LOG_MIX = {EventType.IMPRESSION: SERVED_SHARE, **{kind: share * (1 - SERVED_SHARE) for kind, share in MIX.items()}}
"""What the stream reads: the transformer's impressions too."""

ITEMS_A_SESSION = 8
SESSIONS_A_USER = 2
"""Every second session names its user."""

_ID_BYTES = 16
_ID_CUTS = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
_MOMENT = "%Y-%m-%dT%H:%M:%S%.6fZ"
_NULL_FIELD = r',"[a-z_]+":null'
_SPREAD = 7_919
"""Items between those of one session and of the next."""


@dataclass(frozen=True)
class Shop:
    """Where events are made up.

    Attributes:
        items: ids of the catalogue.
        prefix: begins the ids of sessions and users, so that those of two loads differ.
    """

    items: Sequence[str]
    prefix: str


@dataclass(frozen=True)
class Span:
    """From one moment up to another, UTC."""

    first_at: datetime
    last_at: datetime


def made_events(
    shop: Shop, sessions: NDArray[np.int64], span: Span, random: np.random.Generator, mix: Mapping[EventType, float] = MIX
) -> pl.DataFrame:
    """One event of each session that is given, in the order of time; columns of the contract `Event`, those that no event fills left out.

    Args:
        shop: where.
        sessions: int64 [n], the number of each event's session.
        span: when.
        random: draws types, items, moments and ids.
        mix: types and their share.
    """
    count = len(sessions)
    places = (sessions * _SPREAD + random.integers(ITEMS_A_SESSION, size=count)) % len(shop.items)
    length_us = max((span.last_at - span.first_at) // timedelta(microseconds=1), 1)
    drawn = pl.DataFrame(
        {
            "event_id": event_ids(count, random),
            "event_type": random.choice([kind.value for kind in mix], count, p=list(mix.values())),
            "after_us": np.sort(random.integers(length_us, size=count)),
            "session": sessions,
            "item": pl.Series(list(shop.items), dtype=pl.String()).gather(places),
            "number": random.integers(1, 100, size=count),
        }
    )
    return drawn.select(*_whose(shop.prefix, span.first_at), *_what(shop.prefix))


def event_ids(count: int, random: np.random.Generator) -> pl.Series:
    """Text [count]: random ids, as UUIDs are written."""
    digits = np.frombuffer(random.bytes(_ID_BYTES * count).hex().encode(), dtype=f"S{2 * _ID_BYTES}").astype(str)
    parts = [pl.col("digits").str.slice(*cut) for cut in _ID_CUTS]
    return pl.DataFrame({"digits": digits}).select(pl.concat_str(parts, separator="-").alias("event_id"))["event_id"]


def json_lines(events: pl.DataFrame) -> pl.Series:
    """Text [n]: each event as a shop sends it, without the fields that it does not have."""
    written = events.with_columns(cs.temporal().dt.strftime(_MOMENT))
    return written.select(pl.struct(pl.all()).struct.json_encode().str.replace_all(_NULL_FIELD, "").alias("line"))["line"]


def bodies(lines: pl.Series, events_a_body: int) -> list[bytes]:
    """Request bodies of so many events each, an event a line."""
    number = pl.int_range(pl.len()) // events_a_body
    joined = lines.to_frame("line").group_by(number.alias("body"), maintain_order=True).agg(pl.col("line").str.join("\n"))
    return [text.encode() for text in joined["line"]]


def stored(events: pl.DataFrame) -> pl.DataFrame:
    """The events as the log's reader gives them: all columns of the contract `Event`, with consent, taken in when they happened."""
    given = events.with_columns(
        schema_version=pl.lit(1), consent=pl.lit(True), consent_analytics=pl.lit(True), received_at=pl.col("occurred_at")
    )
    schema = event_schema()
    return given.select((pl.col(name) if name in given.columns else pl.lit(None)).cast(dtype).alias(name) for name, dtype in schema.items())


def _whose(prefix: str, first_at: datetime) -> tuple[pl.Expr, ...]:
    session = pl.col("session")
    user = pl.when(session % SESSIONS_A_USER == 0).then(pl.format("{}-user-{}", pl.lit(prefix), session))
    return (
        pl.col("event_id"),
        pl.col("event_type"),
        (pl.lit(first_at, dtype=pl.Datetime("us", "UTC")) + pl.duration(microseconds="after_us")).alias("occurred_at"),
        pl.format("{}-{}", pl.lit(prefix), session).alias("session_id"),
        user.alias("user_id"),
    )


def _what(prefix: str) -> tuple[pl.Expr, ...]:
    listed = _of(EventType.CLICK, EventType.IMPRESSION)
    served, bought = _of(EventType.IMPRESSION), _of(EventType.PURCHASE)
    number = pl.col("number")
    return (
        pl.when(_of(*NEEDS_ITEM)).then("item").alias("item_id"),
        pl.when(listed).then(pl.format("{}-list-{}", pl.lit(prefix), "session")).alias("request_id"),
        pl.when(listed).then(number).alias("position"),
        pl.when(served).then(0.5).alias("propensity"),
        pl.when(served).then(pl.lit("two_tower")).alias("source"),
        pl.when(served).then(pl.lit("endcap/1")).alias("bundle"),
        pl.when(served).then(pl.lit("endcap")).alias("served_by"),
        pl.when(bought).then(pl.format("{}-order-{}", pl.lit(prefix), "session")).alias("order_id"),
        pl.when(bought).then(1.0).alias("quantity"),
        pl.when(bought).then(number.cast(pl.Float64)).alias("unit_price"),
        pl.when(bought).then(pl.lit("EUR")).alias("currency"),
        pl.when(_of(EventType.DWELL)).then(number * 500).alias("dwell_ms"),
        pl.when(_of(EventType.SEARCH)).then(pl.format("tea {}", number)).alias("query"),
        pl.when(_of(EventType.PAGE_VIEW)).then(pl.lit("home")).alias("surface"),
        pl.lit("web").alias("channel"),
    )


def _of(*kinds: EventType) -> pl.Expr:
    return pl.col("event_type").is_in([kind.value for kind in kinds])
