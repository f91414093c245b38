"""Places of lists: what was served, and whether it was seen."""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from endcap.contracts.event_type import EventType
from endcap.events.outcomes.retention import due_to_expire
from endcap.events.stream.function import KEY, Instant, Step

MOMENT = pl.Datetime("us", "UTC")

PLACE = ("request_id", "item_id", "position")
"""What a place is known by."""

_SERVED = {
    "impression_id": pl.String(),
    "user_id": pl.String(),
    "surface": pl.String(),
    "source": pl.String(),
    "propensity": pl.Float64(),
    "bundle": pl.String(),
    "variant": pl.String(),
    "served_by": pl.String(),
    "team": pl.String(),
    "experiments": pl.String(),
    "consent": pl.Boolean(),
    "shown_at": MOMENT,
}

PLACE_SCHEMA = pl.Schema(
    {"request_id": pl.String(), "item_id": pl.String(), "position": pl.Int64(), **_SERVED, "seen_at": MOMENT},
)
"""A row a place that was served; `experiments` is JSON text."""


@dataclass(frozen=True, slots=True)
class Places:
    """Served and seen, joined by request, item and position; the key is the request.

    A place that was served several times counts as served first. One that was only seen is no row: whoever may send `seen` cannot make up
    what was served.

    Attributes:
        keep: how long after it was served a place may still be seen.
    """

    keep: timedelta = timedelta(days=7)

    @property
    def name(self) -> str:
        return "places"

    @property
    def state_schema(self) -> pl.Schema:
        return pl.Schema({KEY: pl.String(), **PLACE_SCHEMA})

    @property
    def row_schema(self) -> pl.Schema:
        return PLACE_SCHEMA

    @property
    def row_key(self) -> tuple[str, ...]:
        return PLACE

    def keyed(self, events: pl.DataFrame) -> pl.DataFrame:
        kinds = [EventType.IMPRESSION.value, EventType.SEEN_IMPRESSION.value]
        listed = events.filter(pl.col("event_type").is_in(kinds), pl.col("request_id").is_not_null(), pl.col("item_id").is_not_null())
        return listed.with_columns(pl.col("request_id").alias(KEY))

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:
        known = pl.concat([state.select(self.state_schema.names()), _served(events), _seen(events)])
        known = known.sort("shown_at", "impression_id", nulls_last=True)
        places = known.group_by(KEY, *PLACE, maintain_order=True).agg(pl.col(list(_SERVED)).first(), pl.col("seen_at").min())
        expires_at = pl.coalesce("shown_at", "seen_at") + self.keep
        kept = places.filter(expires_at > at.watermark).select(self.state_schema.names())
        in_time = pl.col("seen_at") <= pl.col("shown_at") + self.keep
        said = places.filter(pl.col("shown_at").is_not_null()).join(events.select(KEY).unique(), on=KEY, how="semi")
        said = said.with_columns(pl.when(in_time).then("seen_at").alias("seen_at"))
        return Step(kept, said.select(PLACE_SCHEMA.names()), due_to_expire(kept, expires_at, at))


def _served(events: pl.DataFrame) -> pl.DataFrame:
    served = events.filter(pl.col("event_type") == EventType.IMPRESSION.value)
    return served.select(
        KEY,
        "request_id",
        "item_id",
        pl.col("position").fill_null(1),
        pl.col("event_id").alias("impression_id"),
        "user_id",
        "surface",
        "source",
        "propensity",
        "bundle",
        "variant",
        "served_by",
        "team",
        experiments_text(),
        "consent",
        pl.col("occurred_at").alias("shown_at"),
        pl.lit(None, dtype=MOMENT).alias("seen_at"),
    )


def _seen(events: pl.DataFrame) -> pl.DataFrame:
    seen = events.filter(pl.col("event_type") == EventType.SEEN_IMPRESSION.value, pl.col("position").is_not_null())
    nothing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in _SERVED.items()]
    return seen.select(KEY, *PLACE, *nothing, pl.col("occurred_at").alias("seen_at"))


def experiments_text() -> pl.Expr:
    """The column `experiments` of events as JSON text, null where there are none."""
    some = pl.col("experiments").list.len() > 0
    return pl.when(some).then(pl.struct("experiments").struct.json_encode()).otherwise(None).alias("experiments")


def experiments_of(text: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """The list again, of a column that `experiments_text` made."""
    return text.str.json_decode(pl.Struct({"experiments": dtype})).struct.field("experiments")
