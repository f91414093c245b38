"""Visits: what happened in each so far, as of its last event."""

from datetime import timedelta

import polars as pl

from endcap.contracts.event_type import EventType
from endcap.events.stream.columns import MOMENT
from endcap.events.stream.function import DUE_AT, KEY, Instant, Step
from endcap.features.columns import HISTORY_LENGTH

ITEM_EVENTS = (
    *(EventType.PRODUCT_VIEW, EventType.CLICK, EventType.ADD_TO_CART, EventType.REMOVE_FROM_CART),
    *(EventType.ADD_TO_WISH_LIST, EventType.PURCHASE, EventType.RETURN, EventType.CANCELLATION),
)
"""What says that a visit is about an item. Lists that were shown do not, nor do ratings, which may be low."""

CART_EVENTS = (EventType.ADD_TO_CART, EventType.REMOVE_FROM_CART, EventType.PURCHASE)
SERVED = (EventType.IMPRESSION, EventType.SEEN_IMPRESSION, EventType.SEARCH_RESULT)
"""What was shown, an event a place: it neither prolongs a visit nor says anything of the person."""

EVENTS_KEPT = 500
"""The newest events of a session that are remembered; a longer visit is known by these."""

QUERIES_KEPT = 10

_MOMENT_ORDER = ("at", "event_id")
_TICK = timedelta(microseconds=1)


class Sessions:
    """One row a session: its last visit.

    A pause of more than `gap` begins another visit. An event that comes late may join two of them, so visits are remembered until nothing
    can reach them any more.

    Args:
        gap: the longest pause within a visit.
    """

    name = "sessions"
    state_schema = pl.Schema(
        {
            **{KEY: pl.String(), "event_id": pl.String(), "at": MOMENT, "event_type": pl.String()},
            **{"item_id": pl.String(), "query": pl.String(), "dwell_ms": pl.Int64()},
        }
    )
    row_schema = pl.Schema(
        {
            "session_id": pl.String(),
            "last_at": MOMENT,
            "session_item_ids": pl.List(pl.String()),
            "session_event_types": pl.List(pl.String()),
            "session_occurred_at": pl.List(pl.Int64()),
            "session_cart_item_ids": pl.List(pl.String()),
            "session_queries": pl.List(pl.String()),
            "session_dwell_ms": pl.Int64(),
        }
    )
    row_key = ("session_id",)

    def __init__(self, gap: timedelta = timedelta(minutes=30)) -> None:
        self._gap = gap

    def keyed(self, events: pl.DataFrame) -> pl.DataFrame:
        """Events of visits; what was only shown is none."""
        kept = events.filter(~pl.col("event_type").is_in([kind.value for kind in SERVED]))
        return kept.with_columns(pl.col("session_id").alias(KEY))

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:
        """The visits after these events; see `StreamFunction`."""
        new = events.select(KEY, "event_id", pl.col("occurred_at").alias("at"), "event_type", "item_id", "query", "dwell_ms")
        both = pl.concat([state, new]).sort(KEY, *_MOMENT_ORDER)
        both = both.group_by(KEY, maintain_order=True).tail(EVENTS_KEPT)
        begins = (pl.col("at").diff().over(KEY) > self._gap).fill_null(False).cast(pl.Int64)
        both = both.with_columns(visit=begins.cum_sum().over(KEY))
        ends = both.group_by(KEY, "visit", maintain_order=True).agg(pl.col("at").max().alias("ends"))
        reachable = both.join(ends.filter(pl.col("ends") + self._gap >= at.watermark), on=[KEY, "visit"], maintain_order="left")
        last_of_all = both.filter(pl.col("visit") == pl.col("visit").max().over(KEY))
        rows = _rows(last_of_all.join(new.select(KEY).unique(), on=KEY, how="semi", maintain_order="left"))
        return Step(reachable.select(self.state_schema.names()), rows, self._due(reachable, at))

    def _due(self, kept: pl.DataFrame, at: Instant) -> pl.DataFrame:
        """When nothing can reach a visit any more: a moment after its end, the gap and the watermark."""
        delay = self._gap + (at.present - at.watermark) + _TICK
        return kept.group_by(KEY).agg(DUE=pl.col("at").max() + delay).rename({"DUE": DUE_AT})


def _rows(visits: pl.DataFrame) -> pl.DataFrame:
    """One row a visit.

    Args:
        visits: events of one visit a key, in their order.
    """
    kind = pl.col("event_type")
    is_item = kind.is_in([each.value for each in ITEM_EVENTS]) & pl.col("item_id").is_not_null()
    is_query = (kind == EventType.SEARCH) & pl.col("query").is_not_null()

    def items(column: pl.Expr) -> pl.Expr:
        return column.filter(is_item).tail(HISTORY_LENGTH)

    row = visits.group_by(KEY, maintain_order=True).agg(
        pl.col("at").max().alias("last_at"),
        items(pl.col("item_id")).alias("session_item_ids"),
        items(kind).alias("session_event_types"),
        items(pl.col("at").dt.epoch("s")).alias("session_occurred_at"),
        pl.col("query").filter(is_query).tail(QUERIES_KEPT).alias("session_queries"),
        pl.col("dwell_ms").filter(kind == EventType.DWELL).sum().alias("session_dwell_ms"),
    )
    carts = _carts(visits)
    whole = row.join(carts, on=KEY, how="left", maintain_order="left").rename({KEY: "session_id"})
    empty = pl.lit([], dtype=pl.List(pl.String()))
    return (
        whole.with_columns(pl.col("session_cart_item_ids").fill_null(empty)).select(Sessions.row_schema.names()).cast(Sessions.row_schema)
    )


def _carts(visits: pl.DataFrame) -> pl.DataFrame:
    """`session_cart_item_ids` by key: put in and neither taken out nor bought since, the last one last, at most HISTORY_LENGTH."""
    changes = visits.filter(pl.col("event_type").is_in([each.value for each in CART_EVENTS]) & pl.col("item_id").is_not_null())
    last = changes.unique([KEY, "item_id"], keep="last", maintain_order=True)
    last = last.sort(KEY, *_MOMENT_ORDER).filter(pl.col("event_type") == EventType.ADD_TO_CART)
    return last.group_by(KEY, maintain_order=True).agg(pl.col("item_id").tail(HISTORY_LENGTH).alias("session_cart_item_ids"))
