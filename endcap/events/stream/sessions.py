"""Visits: what happened in each so far, as of its last event."""

from datetime import timedelta

import polars as pl

from endcap.contracts.event_type import EventType
from endcap.events.stream.columns import MOMENT
from endcap.events.stream.function import DUE_AT, KEY, Instant, Step
from endcap.features.columns import HISTORY_LENGTH

ITEM_EVENTS = (
    *(EventType.PRODUCT_VIEW, EventType.CLICK, EventType.ADD_TO_CART, EventType.REMOVE_FROM_CART),
    *(EventType.ADD_TO_WISH_LIST, EventType.RATING, EventType.PURCHASE, EventType.RETURN, EventType.CANCELLATION),
)
"""What says that a visit is about an item. Lists that were shown do not."""

CART_EVENTS = (EventType.ADD_TO_CART, EventType.REMOVE_FROM_CART, EventType.PURCHASE)
SERVED = (EventType.IMPRESSION, EventType.SEEN_IMPRESSION, EventType.SEARCH_RESULT)
"""What was shown, an event a place: it neither prolongs a visit nor says anything of the person."""

EVENTS_KEPT = 500
"""The newest events of a session that are remembered; a longer visit is known by these."""

QUERIES_KEPT = 10

_MOMENT_ORDER = ("at", "event_id")
_PLACE = "place"
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
        new = events.lazy().select(KEY, "event_id", pl.col("occurred_at").alias("at"), "event_type", "item_id", "query", "dwell_ms")
        both = pl.concat([state.lazy(), new]).sort(KEY, *_MOMENT_ORDER)
        newest = both.group_by(KEY, maintain_order=True).tail(EVENTS_KEPT)
        begins = (pl.col("at").diff().over(KEY) > self._gap).fill_null(False).cast(pl.Int64)
        visits = newest.with_columns(visit=begins.cum_sum().over(KEY)).with_columns(ends=pl.col("at").max().over(KEY, "visit")).collect()
        lives = pl.col("ends") + self._gap >= at.watermark
        reachable = visits.lazy().filter(lives)
        last = visits.lazy().filter(pl.col("visit") == pl.col("visit").max().over(KEY))
        # Also of those that are stepped without events while they live: their rows are asked for again.
        changed = last.filter(pl.col(KEY).is_in(events[KEY].unique().implode()) | lives)
        kept = reachable.select(self.state_schema.names())
        return Step(*pl.collect_all([kept, _rows(changed), self._due(reachable, at)]))

    def _due(self, kept: pl.LazyFrame, at: Instant) -> pl.LazyFrame:
        """When nothing can reach a visit any more: a moment after its end, the gap and the watermark."""
        delay = self._gap + (at.present - at.watermark) + _TICK
        return kept.group_by(KEY).agg((pl.col("at").max() + delay).alias(DUE_AT))


def _rows(visits: pl.LazyFrame) -> pl.LazyFrame:
    """One row a visit.

    Args:
        visits: events of one visit a key, in their order.
    """
    kind, item = pl.col("event_type"), pl.col("item_id")
    is_item = kind.is_in([each.value for each in ITEM_EVENTS]) & item.is_not_null()
    is_query = (kind == EventType.SEARCH) & pl.col("query").is_not_null()
    # Of each item the last change counts: what was put in and is followed by no other change is there still.
    is_change = kind.is_in([each.value for each in CART_EVENTS]) & item.is_not_null()
    changes = pl.when(is_change).then(pl.col(_PLACE))
    is_last = is_change & (changes == changes.max().over(KEY, "item_id"))
    in_cart = is_last & (kind == EventType.ADD_TO_CART)

    def items(column: pl.Expr) -> pl.Expr:
        return column.filter("is_item").tail(HISTORY_LENGTH)

    marked = visits.with_row_index(_PLACE).with_columns(is_item=is_item, is_query=is_query, in_cart=in_cart)
    row = marked.group_by(KEY, maintain_order=True).agg(
        pl.col("at").max().alias("last_at"),
        items(item).alias("session_item_ids"),
        items(kind).alias("session_event_types"),
        items(pl.col("at").dt.epoch("s")).alias("session_occurred_at"),
        item.filter("in_cart").tail(HISTORY_LENGTH).alias("session_cart_item_ids"),
        pl.col("query").filter("is_query").tail(QUERIES_KEPT).alias("session_queries"),
        pl.col("dwell_ms").filter(kind == EventType.DWELL).sum().alias("session_dwell_ms"),
    )
    return row.rename({KEY: "session_id"}).cast(Sessions.row_schema)
