"""What the ranker knows of a user and an item the user viewed, carted or rated: how often, how long ago, whether it is in the cart."""

import ibis
import ibis.expr.types as ir

from endcap.contracts.event import EventType
from endcap.features.columns import PAIR_BOUGHT, PAIR_LISTS, PAIR_SIGNALS, PAIRS_MAX
from endcap.features.ranked_list import collect_ranked
from endcap.features.signals import CART, TOUCHES, VIEW, of_either

_TAKES_OUT = (EventType.REMOVE_FROM_CART.value, EventType.PURCHASE.value)
_RATING = EventType.RATING.value


def cart_and_view_events(signals: ir.Table, lines: ir.Table) -> ir.Table:
    """Signals of known people with the purchases of what they ever carted: what is bought leaves the cart, returned later or not.

    Args:
        signals: `endcap.features.signals.signal_events`.
        lines: purchase lines.
    """
    known = signals.filter(signals.user_id.notnull(), signals.item_id.notnull())
    carted = known.filter(known.kind == CART).select("user_id", "item_id").distinct()
    bought = lines.select("user_id", "item_id", "at").distinct().semi_join(carted, ["user_id", "item_id"])
    bought = bought.mutate(kind=ibis.literal(EventType.PURCHASE.value, known.kind.type()), rating=ibis.null(known.rating.type()))
    return known.union(bought.select(*known.columns))


def user_item_signals(events: ir.Table, snapshots: ir.Table, low_rating: float | None) -> ir.Table:
    """Each user's viewed, carted and rated items at t.

    Every past event is joined with every snapshot after it, so give only the few snapshots that ranking needs.

    Args:
        events: from `cart_and_view_events`.
        snapshots: moments with `t` in epoch seconds.
        low_rating: ratings up to this count against the item; None for none.

    Returns:
        `user_id`, `t` and PAIR_SIGNALS, at most PAIRS_MAX items, what is in the cart first, then the latest.
    """
    past = events.join(snapshots, events["at"] < snapshots.t)
    is_low = past.rating <= (low_rating if low_rating is not None else float("-inf"))
    items = past.group_by("user_id", "t", "item_id").agg(
        views=(past.kind == VIEW).cast("float32").sum(),
        viewed_at=past["at"].max(where=past.kind == VIEW).fill_null(0),
        carts=(past.kind == CART).cast("float32").sum(),
        carted_at=past["at"].max(where=past.kind == CART).fill_null(0),
        out_at=past["at"].max(where=past.kind.isin(_TAKES_OUT)).fill_null(0),
        low_at=past["at"].max(where=(past.kind == _RATING) & is_low).fill_null(0),
        liked_at=past["at"].max(where=(past.kind == _RATING) & ~is_low).fill_null(0),
        last_at=past["at"].max(where=past.kind.isin(TOUCHES)),
    )
    items = items.filter(items.last_at.notnull())
    items = items.mutate(in_cart_at=ibis.ifelse(items.carted_at > items.out_at, items.carted_at, 0))
    order = [ibis.desc(items.in_cart_at > 0), ibis.desc(items.last_at), items.item_id]
    ranked = items.select(
        "user_id",
        "t",
        place=ibis.row_number().over(ibis.window(group_by=["user_id", "t"], order_by=order)),
        signal_item_ids=items.item_id,
        signal_views=items.views.cast("float32"),
        signal_last_viewed_at=items.viewed_at.cast("int64"),
        signal_carts=items.carts.cast("float32"),
        signal_in_cart_at=items.in_cart_at.cast("int64"),
        signal_rated_low=((items.low_at > 0) & (items.low_at >= items.liked_at)).cast("float32"),
    )
    return collect_ranked(ranked.filter(ranked.place < PAIRS_MAX), ["user_id", "t"], "place", PAIR_SIGNALS)


def with_pair_signals(bought: ir.Table, signals: ir.Table) -> ir.Table:
    """`user_id`, `t` and PAIR_LISTS of everybody who has either, empty lists for what they lack.

    Args:
        bought: `user_id`, `t` and PAIR_BOUGHT.
        signals: from `user_item_signals`.
    """
    rows = of_either(bought, signals)
    lists = {name: rows[name].fill_null(ibis.literal([], type=rows[name].type())) for name in PAIR_LISTS}
    return rows.select("user_id", "t", **lists)


def without_pair_signals(bought: ir.Table) -> ir.Table:
    """The same of a dataset without such events."""
    kinds = {
        name: "array<string>" if name.endswith("_ids") else "array<int64>" if name.endswith("_at") else "array<float32>"
        for name in PAIR_SIGNALS
    }
    return bought.select("user_id", "t", *PAIR_BOUGHT, **{name: ibis.literal([], type=kind) for name, kind in kinds.items()})
