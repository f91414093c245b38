"""How the feature tables take in what a dataset has beside purchases; of a dataset of purchases alone they cost what they cost without."""

from dataclasses import dataclass

import ibis.expr.types as ir

from endcap.features.columns import ITEM_SIGNALS, ITEM_SOLD, USER_BOUGHT, USER_SIGNALS
from endcap.features.engine import Engine
from endcap.features.signals import (
    SIGNAL_EVENTS,
    first_touches,
    signal_events,
    user_signals,
    with_item_signals,
    with_user_signals,
    without_signals,
)
from endcap.features.user_item_signals import cart_and_view_events, user_item_signals, with_pair_signals, without_pair_signals


@dataclass(frozen=True)
class SignalParts:
    """Computed once for all snapshots.

    Attributes:
        events: `endcap.features.signals.signal_events`; None for a dataset without.
        pair_events: `endcap.features.user_item_signals.cart_and_view_events`; None with `events`.
        low_rating: ratings up to this count against an item; None for none.
    """

    events: ir.Table | None = None
    pair_events: ir.Table | None = None
    low_rating: float | None = None

    @classmethod
    def of(cls, engine: Engine, events: ir.Table, lines: ir.Table, low_rating: float | None) -> "SignalParts":
        """Looks into the events first: most datasets of receipts have none."""
        wanted = events.filter(events.event_type.isin(SIGNAL_EVENTS)).limit(1)
        if not wanted.count().to_pyarrow().as_py():
            return cls()
        kept = engine.keep("signals", signal_events(events))
        return cls(kept, engine.keep("pair_signals", cart_and_view_events(kept, lines)), low_rating)

    def user_numeric(self, bought: ir.Table, occasions: ir.Table, snapshots: ir.Table) -> ir.Table:
        """USER_NUMERIC from USER_BOUGHT."""
        if self.events is None:
            return without_signals(bought, USER_SIGNALS)
        return with_user_signals(bought.select("user_id", "t", *USER_BOUGHT), user_signals(self.events, occasions, snapshots))

    def user_item(self, bought: ir.Table, snapshots: ir.Table) -> ir.Table:
        """PAIR_LISTS from PAIR_BOUGHT."""
        if self.pair_events is None:
            return without_pair_signals(bought)
        return with_pair_signals(bought, user_item_signals(self.pair_events, snapshots, self.low_rating))

    def item_numeric(self, sold: ir.Table, priced: ir.Table, snapshots: ir.Table) -> ir.Table:
        """ITEM_NUMERIC from ITEM_SOLD."""
        if self.events is None:
            return without_signals(sold, ITEM_SIGNALS)
        return with_item_signals(sold.select("item_id", "t", *ITEM_SOLD), priced, self.events, snapshots)

    def first_touches(self) -> ir.Table | None:
        """`item_id`, `at` of the items' first touches beside purchases."""
        return None if self.events is None else first_touches(self.events)
