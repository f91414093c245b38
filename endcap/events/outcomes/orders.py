"""Purchases and what was taken back of them, kept beside the pairs that they are in."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from endcap.contracts.event_type import TAKES_OFF, EventType
from endcap.events.outcomes.places import MOMENT
from endcap.events.stream.function import KEY, Instant, Step, no_due

if TYPE_CHECKING:
    import pyarrow as pa

ORDER_SCHEMA = pl.Schema(
    {
        "event_id": pl.String(),
        "event_type": pl.String(),
        "user_id": pl.String(),
        "session_id": pl.String(),
        "order_id": pl.String(),
        "item_id": pl.String(),
        "quantity": pl.Float64(),
        "occurred_at": MOMENT,
        "consent": pl.Boolean(),
    }
)
"""A row a purchase, return or cancellation."""

KEPT_SCHEMA = pl.Schema({"event_id": pl.String(), "kept": pl.Float64()})
"""Purchases that something was taken from: the share of them that is left, 0 for nothing."""

_KINDS = [EventType.PURCHASE.value, *sorted(kind.value for kind in TAKES_OFF)]


@dataclass(frozen=True, slots=True)
class Orders:
    """The events that say what a purchase is worth in the end; nothing has to be remembered for it."""

    @property
    def name(self) -> str:
        return "orders"

    @property
    def state_schema(self) -> pl.Schema:
        return pl.Schema({KEY: pl.String()})

    @property
    def row_schema(self) -> pl.Schema:
        return ORDER_SCHEMA

    @property
    def row_key(self) -> tuple[str, ...]:
        return ("event_id",)

    def keyed(self, events: pl.DataFrame) -> pl.DataFrame:
        return events.filter(pl.col("event_type").is_in(_KINDS)).with_columns(pl.col("session_id").alias(KEY))

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:  # noqa: ARG002 - each event stands for itself
        return Step(state.clear(), events.select(ORDER_SCHEMA.names()), no_due())


def kept_of(orders: pl.DataFrame) -> pl.DataFrame:
    """What returns and cancellations left of purchases (`endcap.features.net_purchases` says which purchase each takes from).

    Args:
        orders: rows of ORDER_SCHEMA.

    Returns: rows of KEPT_SCHEMA; a purchase that is not named was kept whole.
    """
    takes = orders.filter(pl.col("event_type") != EventType.PURCHASE.value)
    if takes.is_empty():
        return pl.DataFrame(schema=KEPT_SCHEMA)
    gone = pl.col("taken_off_at").is_not_null()
    left = pl.DataFrame(_versions(orders)).filter(pl.col("until").is_null() | gone)
    bought = orders.select("event_id", bought=pl.col("quantity").fill_null(1.0))
    share = pl.when(gone).then(0.0).otherwise((pl.col("quantity") / pl.col("bought")).clip(0, 1))
    return left.join(bought, on="event_id").group_by("event_id").agg(kept=share.min()).cast(KEPT_SCHEMA)


def _versions(orders: pl.DataFrame) -> "pa.Table":
    import ibis

    from endcap.features.net_purchases import taken_off

    return taken_off(ibis.memtable(orders.to_arrow())).versions
