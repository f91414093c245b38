"""The events that a person's recent items are made of: which they are, whose, and how long they are kept."""

from datetime import timedelta

import polars as pl

from endcap.contracts.event_type import ABOUT_CONSENT, TAKES_OFF, EventType
from endcap.contracts.recent_kind import RECENT_KINDS
from endcap.events.stream.function import DUE_AT, KEY, Instant, no_due
from endcap.features.columns import RECENT_EVENTS
from endcap.features.store.names import RECENT_LIFE_SECONDS

MOMENT = pl.Datetime("us", "UTC")
STATE = pl.Schema(
    {
        KEY: pl.String(),
        "origin": pl.String(),
        "event_id": pl.String(),
        "event_type": pl.String(),
        "occurred_at": MOMENT,
        "user_id": pl.String(),
        "session_id": pl.String(),
        "order_id": pl.String(),
        "item_id": pl.String(),
        "quantity": pl.Float64(),
        "rating": pl.Float64(),
    }
)
"""A row an event of a key. `origin` is the key of the visit that a person has it from, empty for what names the person itself."""

PERSON, VISIT = "person:", "visit:"
"""Keys are of persons, and of what nobody known did in a visit."""

LIFE = timedelta(seconds=RECENT_LIFE_SECONDS)
"""How long an event counts."""

_IDENTITY = EventType.IDENTITY.value
_TAKES_OFF = tuple(kind.value for kind in TAKES_OFF)
_SOLD = (EventType.PURCHASE.value, *_TAKES_OFF)
_ACTS = (*(kind.value for kind in RECENT_KINDS), *_TAKES_OFF)
CONSENT = tuple(kind.value for kind in ABOUT_CONSENT)


def keyed(events: pl.DataFrame) -> pl.DataFrame:
    """The events by whom they concern; without consent to personalisation none but those that end it.

    Who identifies in a visit concerns both, so that a step has both.

    Args:
        events: columns of the contract `Event`, with and without consent.
    """
    kind, is_known = pl.col("event_type"), pl.col("user_id").is_not_null()
    of_person = (pl.lit(PERSON) + pl.col("user_id")).alias(KEY)
    of_visit = (pl.lit(VISIT) + pl.col("session_id")).alias(KEY)
    acts = events.filter("consent", kind.is_in(_ACTS), pl.col("item_id").is_not_null() | kind.is_in(_TAKES_OFF))
    identities = events.filter("consent", kind == _IDENTITY, is_known)
    ends = events.filter(~pl.col("consent"), kind.is_in(CONSENT), is_known)
    return pl.concat(
        [
            acts.filter(is_known).with_columns(of_person),
            acts.filter(~is_known).with_columns(of_visit),
            identities.with_columns(of_visit),
            identities.with_columns(of_person),
            ends.with_columns(of_person),
        ]
    )


def held(state: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """State with what came, each event once a key.

    Args:
        state: of STATE.
        events: from `keyed`.
    """
    came = events.filter(~(is_person() & (pl.col("event_type") == _IDENTITY)))
    texts = [pl.col(name).cast(dtype) for name, dtype in STATE.items() if name != "origin"]
    came = came.select(*texts, origin=pl.lit("")).select(STATE.names())
    return pl.concat([state.select(STATE.names()), came]).unique([KEY, "origin", "event_id"], keep="first", maintain_order=True)


def adopted(visits: pl.DataFrame) -> pl.DataFrame:
    """What visits did since somebody identified in them, as that person's: of the last who had by then, at most LIFE before.

    Args:
        visits: all that is held of some visits.
    """
    identities = visits.filter(pl.col("event_type") == _IDENTITY).select(KEY, "occurred_at", "event_id", since="occurred_at", who="user_id")
    identities = identities.sort("occurred_at", "event_id").unique([KEY, "occurred_at"], keep="last", maintain_order=True)
    acts = visits.filter(pl.col("event_type") != _IDENTITY).sort("occurred_at")
    owned = acts.join_asof(identities.drop("event_id"), on="occurred_at", by=KEY, strategy="backward", check_sortedness=False)
    owned = owned.filter(pl.col("who").is_not_null(), pl.col("occurred_at") - pl.col("since") <= LIFE)
    return owned.with_columns(origin=KEY, key=pl.lit(PERSON) + pl.col("who")).select(STATE.names())


def kept(rows: pl.DataFrame, at: Instant) -> pl.DataFrame:
    """What goes on to count: not what was before consent ended, nor what is too old, and of each sort the newest RECENT_EVENTS."""
    is_end, is_sold = pl.col("event_type").is_in(CONSENT), pl.col("event_type").is_in(_SOLD)
    ended_at = pl.col("occurred_at").filter(is_end).max().over(KEY)
    rows = rows.filter(is_end | ended_at.is_null() | (pl.col("occurred_at") > ended_at), pl.col("occurred_at") >= _oldest(at) - _longer())
    sort = pl.when(is_end).then(2).when(is_sold).then(1).when(pl.col("event_type") == _IDENTITY).then(3).otherwise(0)
    newest_first = pl.struct("occurred_at", "event_id").rank("ordinal", descending=True).over(KEY, "origin", sort)
    return rows.filter(newest_first <= RECENT_EVENTS)


def due(rows: pl.DataFrame) -> pl.DataFrame:
    """When the oldest row of each key ends to count, at the next whole hour: `key`, `due_at`."""
    if rows.is_empty():
        return no_due()
    ends_at = (pl.col("occurred_at") + LIFE + _longer()).dt.truncate("1h") + timedelta(hours=1)
    return rows.group_by(KEY).agg(ends_at.min().alias(DUE_AT))


def is_person() -> pl.Expr:
    """Whether a row's key is a person."""
    return pl.col(KEY).str.starts_with(PERSON)


def _longer() -> pl.Expr:
    """Who a visit belongs to is known for as long as what it did counts."""
    return pl.when(pl.col("event_type") == _IDENTITY).then(LIFE).otherwise(timedelta(0))


def _oldest(at: Instant) -> pl.Expr:
    return pl.lit(at.present, dtype=MOMENT).dt.truncate("1h") - LIFE
