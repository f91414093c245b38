"""Net purchases: what returns and cancellations leave of each purchase, and from when on. All that counts purchases goes through here.

A return takes from the purchases of the order and item that it names; where it names no order, or one that is not known, from the newest
earlier purchase of that item by the same person, or in the same session where the person is unknown. What one purchase does not cover goes
on to the one before it. Nothing falls below zero, and nothing is taken off before it was bought: as of a moment, later returns change
nothing. Times are compared in whole seconds; within one second purchases come first.
"""

import math
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl
import pyarrow as pa

from endcap.contracts.event import TAKES_OFF, EventType

if TYPE_CHECKING:
    import ibis.expr.types as ir

_TAKES_OFF = tuple(kind.value for kind in sorted(TAKES_OFF))

VERSIONS_SCHEMA = pa.schema(
    [
        pa.field("event_id", pa.string()),
        pa.field("since", pa.int64()),
        pa.field("until", pa.int64()),
        pa.field("quantity", pa.float64()),
        pa.field("taken_off_at", pa.int64()),
    ]
)
"""A row for each quantity that a purchase has had: it holds as of t with since < t <= until (UTC epoch seconds, `until` null for the last).

`taken_off_at` is when nothing was left of the purchase, null where something is; a purchase stands as of t with at < t <= taken_off_at.
"""

TAKES_SCHEMA = pl.Schema({"return_id": pl.String(), "purchase_id": pl.String(), "quantity": pl.Float64()})

_MEMORY_LIMIT = "1GB"
"""What finding the purchases that returns could mean may take before it spills to disk."""

_ALMOST_NOTHING = 1e-9
"""Share of a quantity below which what is left is rounding: weights do not add up exactly."""


@dataclass(frozen=True)
class TakenOff:
    """What returns and cancellations have done.

    Attributes:
        versions: VERSIONS_SCHEMA, of the purchases that something was taken from; all others stand as they were made.
        returns: returns and cancellations in the events.
        unmatched: those among them that named nothing that was left to take.
        takes: columns return_id, purchase_id, quantity: what each return took of which purchase.
    """

    versions: pa.Table
    returns: int = 0
    unmatched: int = 0
    takes: pl.DataFrame = field(default_factory=TAKES_SCHEMA.to_frame)

    @property
    def moments(self) -> pl.DataFrame:
        """Columns event_id, taken_off_at (UTC, whole seconds): purchases of which nothing is left in the end."""
        gone = pl.DataFrame(self.versions).filter(pl.col("taken_off_at").is_not_null()).select("event_id", "taken_off_at").unique()
        return gone.with_columns(pl.from_epoch("taken_off_at", "s").dt.cast_time_unit("us").dt.replace_time_zone("UTC"))


def taken_off(events: "ir.Table") -> TakenOff:
    """Follow every return and cancellation to the purchases that it takes from.

    Only these, and the purchases that they could mean, are read into memory.

    Args:
        events: rows of the contract `Event`; `order_id` may be missing, as in datasets from before it.
    """
    import ibis

    returns = events.filter(events.event_type.isin(_TAKES_OFF), events.consent)
    if not returns.count().to_pyarrow().as_py():
        return TakenOff(VERSIONS_SCHEMA.empty_table())
    bought = _keyed(events.filter(events.event_type == EventType.PURCHASE.value, events.item_id.notnull()))
    returns = _keyed(returns)
    of_persons, of_sessions = returns.filter(returns.user_id.notnull()), returns.filter(returns.user_id.isnull())
    named = [bought.semi_join(of_persons, ["user_id", "item_id"]), bought.semi_join(of_sessions, ["session_id", "item_id"])]
    if _has_orders(events):
        orders = returns.filter(returns.order_id.notnull()).select(named_order=returns.order_id, named_item=returns.item_id)
        same_item = orders.named_item.isnull() | (bought.item_id == orders.named_item)
        named.append(bought.semi_join(orders, [bought.basket_id == orders.named_order, same_item]))
    contested = pl.DataFrame(ibis.union(returns, *named).distinct().to_pyarrow())
    return followed(contested)


def purchases_with_taken_off(events: Path) -> pl.LazyFrame:
    """The purchases of a table of events with the column `taken_off_at` (UTC): when nothing was left of each, null where something is.

    Args:
        events: Parquet file of the contract `Event`.
    """
    bought = pl.scan_parquet(events).filter(pl.col("event_type") == EventType.PURCHASE.value)
    gone = taken_off_in(events).moments
    if gone.is_empty():
        return bought.with_columns(pl.lit(None, dtype=gone.schema["taken_off_at"]).alias("taken_off_at"))
    return bought.join(gone.lazy(), on="event_id", how="left", maintain_order="left")


def taken_off_in(events: Path) -> TakenOff:
    """As `taken_off`, of a Parquet file."""
    if pl.scan_parquet(events).filter(pl.col("event_type").is_in(_TAKES_OFF)).head(1).collect().is_empty():
        return TakenOff(VERSIONS_SCHEMA.empty_table())
    from endcap.features.duckdb_engine import Compute, connect_duckdb

    with tempfile.TemporaryDirectory() as spill, connect_duckdb(Path(spill), Compute(memory_limit=_MEMORY_LIMIT)) as connection:
        return taken_off(connection.read_parquet(events))


def standing(moment: pl.Expr) -> pl.Expr:
    """Whether a purchase with `taken_off_at` still stood as of a moment."""
    return pl.col("taken_off_at").is_null() | (pl.col("taken_off_at") >= moment)


def _has_orders(events: "ir.Table") -> bool:
    return "order_id" in events.columns


def _keyed(events: "ir.Table") -> "ir.Table":
    """The columns that say what an event is and what it could mean."""
    import ibis

    from endcap.features.instants import epoch_seconds

    order_id = events.order_id if _has_orders(events) else ibis.null("string")
    return events.select(
        "event_id",
        "event_type",
        "user_id",
        "session_id",
        "item_id",
        "quantity",
        order_id=order_id,
        basket_id=ibis.coalesce(order_id, events.session_id),
        at=epoch_seconds(events.occurred_at),
    )


def followed(events: pl.DataFrame) -> TakenOff:
    """Purchases and returns in the order of time, each return taking from what stands at its turn.

    Args:
        events: purchases, returns and cancellations: `event_id`, `event_type`, `at` (UTC epoch seconds), `user_id`, `session_id`,
            `order_id`, `basket_id` (the order, or the session where there is none), `item_id`, `quantity`.
    """
    takes = events.with_columns(pl.col("event_type").is_in(_TAKES_OFF).alias("takes")).sort("at", "takes", "event_id")
    stacks = _Stacks(takes.height, (_Named(*named) for named in takes.filter("takes").select(_Named._fields).iter_rows()))
    history: dict[int, list[tuple[int, float]]] = {}
    ids, taken = takes["event_id"].to_list(), []
    unmatched = 0
    for row, (takes_off, at, *named) in enumerate(takes.select("takes", "at", *_Named._fields).iter_rows()):
        if not takes_off:
            stacks.push(row, _Named(*named))
            continue
        changed = list(stacks.take(_Named(*named)))
        for purchase, left, quantity in changed:
            history.setdefault(purchase, []).append((at, left))
            taken.append((ids[row], ids[purchase], quantity))
        unmatched += not changed
    returns = int(takes["takes"].sum())
    by_return = pl.DataFrame(taken, schema=TAKES_SCHEMA, orient="row")
    return TakenOff(_versions(takes, stacks.bought, history), returns, unmatched, by_return)


class _Named(NamedTuple):
    """What a purchase or return says of itself; `basket_id` is a purchase's order."""

    user_id: str | None
    session_id: str
    order_id: str | None
    basket_id: str
    item_id: str | None
    quantity: float | None


_Key = tuple[str, str | None, str | None]


class _Stacks:
    """Purchases by what returns name them by, the newest on top, with what is left of each."""

    def __init__(self, rows: int, returns: Iterable[_Named]) -> None:
        self.bought = [0.0] * rows
        self._left = [0.0] * rows
        # None until the first purchase: an order that is not known is another thing than one of which nothing is left.
        self._stacks: dict[_Key, list[int] | None] = {}
        for back in returns:
            for key in (_order_key(back), _person_key(back)):
                if key is not None:
                    self._stacks[key] = None

    def push(self, row: int, bought: _Named) -> None:
        self.bought[row] = self._left[row] = 1.0 if bought.quantity is None else bought.quantity
        order, item_id = bought.basket_id, bought.item_id
        for key in (
            ("order", order, item_id),
            ("order", order, None),
            ("user", bought.user_id, item_id),
            ("session", bought.session_id, item_id),
        ):
            if key in self._stacks:
                stack = self._stacks[key]
                if stack is None:
                    self._stacks[key] = [row]
                else:
                    stack.append(row)

    def take(self, back: _Named) -> Iterator[tuple[int, float, float]]:
        """The purchases that a return takes from, with what is left of each and what was taken; without a quantity all of what it names."""
        order, person = _order_key(back), _person_key(back)
        named = None if order is None else self._stacks[order]
        whole = named is not None
        if named is None and person is not None:
            named = self._stacks[person]
        wanted = math.inf if back.quantity is None else back.quantity
        while named and wanted > 0:
            row = named[-1]
            left = self._left[row]
            if left <= 0:
                named.pop()
                continue
            taken = min(left, wanted)
            rest = left - taken
            self._left[row] = 0.0 if rest <= _ALMOST_NOTHING * self.bought[row] else rest
            yield row, self._left[row], taken
            wanted -= taken
            if back.quantity is None and not whole:
                return


def _order_key(back: _Named) -> _Key | None:
    return None if back.order_id is None else ("order", back.order_id, back.item_id)


def _person_key(back: _Named) -> _Key | None:
    if back.item_id is None:
        return None
    return ("session", back.session_id, back.item_id) if back.user_id is None else ("user", back.user_id, back.item_id)


def _versions(events: pl.DataFrame, bought: Sequence[float], history: dict[int, list[tuple[int, float]]]) -> pa.Table:
    at, event_id = events["at"].to_list(), events["event_id"].to_list()
    rows: list[tuple[str, int, int | None, float, int | None]] = []
    for row, changes in history.items():
        gone_at = changes[-1][0] if changes[-1][1] <= 0 else None
        since, quantity = at[row], bought[row]
        for moment, left in changes:
            rows.append((event_id[row], since, moment, quantity, gone_at))
            since, quantity = moment, left
        if gone_at is None:
            rows.append((event_id[row], since, None, quantity, None))
    columns = list(zip(*rows, strict=True)) or [()] * len(VERSIONS_SCHEMA)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, VERSIONS_SCHEMA, strict=True)], schema=VERSIONS_SCHEMA)
