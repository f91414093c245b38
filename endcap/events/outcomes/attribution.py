"""Attribution: every impression that an event could be the outcome of.

Which of them it counts for is decided from all of its pairs (`endcap.events.outcomes.resolution`): the impressions that a person had lie
under several keys, the request, the session and the user, and no key alone knows all of them. A pair says the same whichever key finds it,
so it does not matter that several do.
"""

from dataclasses import dataclass, field

import polars as pl

from endcap.contracts.event_type import EventType
from endcap.contracts.outcome import Objective
from endcap.events.outcomes.places import MOMENT
from endcap.events.outcomes.retention import due_to_expire
from endcap.events.outcomes.windows import CLICKS, Windows
from endcap.events.stream.function import KEY, Instant, Step

TOUCH_SCHEMA = pl.Schema(
    {
        "event_id": pl.String(),
        "objective": pl.String(),
        "request_id": pl.String(),
        "item_id": pl.String(),
        "position": pl.Int64(),
        "shown_at": MOMENT,
        "followed_at": MOMENT,
        "is_named": pl.Boolean(),
        "value": pl.Float64(),
        "currency": pl.String(),
        "consent": pl.Boolean(),
    }
)
"""A row an event, objective and impression within the objective's window; `is_named`: the event names the impression's request."""

_STATE = pl.Schema(
    {
        KEY: pl.String(),
        "event_id": pl.String(),
        "event_type": pl.String(),
        "item_id": pl.String(),
        "request_id": pl.String(),
        "position": pl.Int64(),
        "moment": MOMENT,
        "value": pl.Float64(),
        "currency": pl.String(),
        "consent": pl.Boolean(),
    }
)

_KINDS = [EventType.IMPRESSION.value, *(kind.value for kind in CLICKS)]
_IS_SHOWN = pl.col("event_type") == EventType.IMPRESSION.value


@dataclass(frozen=True, slots=True)
class Attribution:
    """Pairs of an impression and an event that followed it: the same request and item, or the same session or user and item.

    Keys: the request; the session and the item; the user and the item.

    Attributes:
        windows: how long after the impression an event counts.
    """

    windows: Windows = field(default_factory=Windows)

    @property
    def name(self) -> str:
        return "attribution"

    @property
    def state_schema(self) -> pl.Schema:
        return _STATE

    @property
    def row_schema(self) -> pl.Schema:
        return TOUCH_SCHEMA

    @property
    def row_key(self) -> tuple[str, ...]:
        return ("event_id", "objective", "request_id", "item_id", "position")

    def keyed(self, events: pl.DataFrame) -> pl.DataFrame:
        about = events.filter(pl.col("event_type").is_in(_KINDS), pl.col("item_id").is_not_null())
        about = about.filter(~_IS_SHOWN | pl.col("request_id").is_not_null())
        keys = (pl.format("r{}", "request_id"), _with_item("s", "session_id"), _with_item("u", "user_id"))
        return pl.concat([about.with_columns(key.alias(KEY)) for key in keys]).filter(pl.col(KEY).is_not_null())

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:
        old, new = state.select(_STATE.names()), _rows(events)
        known = _served_once(pl.concat([old.with_columns(is_new=pl.lit(False)), new.with_columns(is_new=pl.lit(True))]))
        # An impression waits for events as long as they count; an event only for impressions from before it that come late.
        expires_at = pl.col("moment") + pl.when(_IS_SHOWN).then(pl.lit(self.windows.longest)).otherwise(pl.duration())
        kept = known.filter(expires_at >= at.watermark).select(_STATE.names())
        due = due_to_expire(kept, expires_at + pl.duration(microseconds=1), at)
        return Step(kept, self._pairs(known).unique(self.row_key, keep="any"), due)

    def _pairs(self, known: pl.DataFrame) -> pl.DataFrame:
        """Pairs in which something is new."""
        shown, followed = known.filter(_IS_SHOWN), known.filter(~_IS_SHOWN)
        impressions = shown.select(KEY, "item_id", "request_id", "position", shown_at="moment", is_new_shown="is_new")
        events = followed.rename({"request_id": "named", "moment": "followed_at"}).drop("position")
        pairs = paired(events, impressions, [KEY, "item_id"], self.windows)
        return pairs.filter(pl.col("is_new") | pl.col("is_new_shown")).select(TOUCH_SCHEMA.names())


def paired(events: pl.DataFrame, impressions: pl.DataFrame, on: list[str], windows: Windows) -> pl.DataFrame:
    """Events with the impressions that they could be the outcome of, by objective; columns of TOUCH_SCHEMA and what there is beside.

    Args:
        events: `named` is the request that an event names; `followed_at`, `event_type`, `value`, `currency`.
        impressions: `request_id`, `position`, `shown_at`.
        on: columns that both have in common.
        windows: how long after the impression an event counts.
    """
    pairs = events.join(impressions, on=on).join(windows.table(), on="event_type")
    after = pl.col("followed_at") - pl.col("shown_at")
    pairs = pairs.with_columns(is_named=pl.col("named").eq_missing(pl.col("request_id"))).filter(
        after >= pl.duration(), after <= pl.col("window"), pl.col("is_named") | ~pl.col("named_only")
    )
    priced = pl.when(pl.col("objective") == Objective.PURCHASE.value)
    return pairs.with_columns(priced.then(name).alias(name) for name in ("value", "currency"))


def values() -> list[pl.Expr]:
    """`value` and `currency` of events: what was paid for a purchase."""
    bought = pl.when(pl.col("event_type") == EventType.PURCHASE.value)
    return [bought.then(pl.col("quantity") * pl.col("unit_price")).alias("value"), bought.then(pl.col("currency")).alias("currency")]


def _served_once(known: pl.DataFrame) -> pl.DataFrame:
    """A place that was served several times stands as served first, and is new where any of it is."""
    shown = known.filter(_IS_SHOWN).with_columns(pl.col("position").fill_null(1)).sort("moment", "event_id")
    place = [KEY, "request_id", "item_id", "position"]
    once = shown.group_by(place, maintain_order=True).agg(pl.exclude("is_new").first(), pl.col("is_new").any())
    return pl.concat([once.select(known.columns), known.filter(~_IS_SHOWN)])


def _with_item(kind: str, name: str) -> pl.Expr:
    """The length keeps two ids apart, whatever they are made of."""
    return pl.format("{}{}:{}{}", pl.lit(kind), pl.col(name).str.len_chars(), name, "item_id")


def _rows(events: pl.DataFrame) -> pl.DataFrame:
    return events.select(
        KEY,
        "event_id",
        "event_type",
        "item_id",
        "request_id",
        "position",
        pl.col("occurred_at").alias("moment"),
        *values(),
        "consent",
    )
