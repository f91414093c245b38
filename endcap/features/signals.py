"""What people look at, put into their carts, search for and rate, as of each snapshot: the features of events beside purchases.

Of a dataset without such events every column is 0 and every list empty, at no cost.
"""

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from endcap.contracts.event import EventType
from endcap.contracts.moment import DAY_S
from endcap.features.columns import ITEM_SIGNALS, ITEM_SOLD, NEVER_DAYS, USER_BOUGHT, USER_SIGNALS
from endcap.features.instants import epoch_seconds
from endcap.features.standing import stands

VIEW, CART, SEARCH = EventType.PRODUCT_VIEW.value, EventType.ADD_TO_CART.value, EventType.SEARCH.value
SIGNAL_EVENTS = (VIEW, CART, SEARCH, EventType.REMOVE_FROM_CART.value, EventType.RATING.value)
TOUCHES = (VIEW, CART, EventType.RATING.value)
"""Event types that make a person known, and an item, without a purchase."""

WINDOW_S = 28 * DAY_S
PRIOR_EVENTS = 10.0
"""An item's conversion is drawn towards its category's as by so many views, or carts, of the category's conversion."""


def signal_events(events: ir.Table) -> ir.Table:
    """`user_id` (null when anonymous), `item_id` (null for searches), `kind` (event type), `at` (epoch seconds), `rating`; with consent."""
    known = events.filter(events.event_type.isin(SIGNAL_EVENTS), events.consent)
    return known.select("user_id", "item_id", "rating", kind=known.event_type, at=epoch_seconds(known.occurred_at))


def user_signals(signals: ir.Table, occasions: ir.Table, snapshots: ir.Table) -> ir.Table:
    """`user_id`, `t` and USER_SIGNALS, one row for each user who viewed, carted or rated anything before t.

    Args:
        signals: from `signal_events`.
        occasions: purchase occasions.
        snapshots: moments with `t` in epoch seconds.
    """
    known = signals.filter(signals.user_id.notnull())
    rows = _last_touches(known, snapshots)
    for part in (_counts(known, ["user_id"], snapshots), _conversions(known, occasions, snapshots)):
        rows = rows.left_join(part, ["user_id", "t"]).drop("user_id_right", "t_right")
    return rows.select("user_id", "t", **{name: rows[name].fill_null(0) for name in USER_SIGNALS})


def with_user_signals(bought: ir.Table, signals: ir.Table) -> ir.Table:
    """USER_NUMERIC of everybody who did anything before t.

    Args:
        bought: `user_id`, `t` and USER_BOUGHT, of buyers.
        signals: from `user_signals`.
    """
    never = {
        "days_since_last_purchase": NEVER_DAYS,
        "price_level": 1.0,
        "days_since_last_view": NEVER_DAYS,
        "days_since_last_cart": NEVER_DAYS,
    }
    rows = of_either(bought, signals)
    numbers = {name: rows[name].fill_null(never.get(name, 0.0)).cast("float32") for name in (*USER_BOUGHT, *USER_SIGNALS)}
    return rows.select("user_id", "t", **numbers)


def of_either(bought: ir.Table, signals: ir.Table) -> ir.Table:
    """Both tables' columns for each `user_id` and `t` that one of them has, null for what it lacks."""
    rows = bought.select("user_id", "t").union(signals.select("user_id", "t"), distinct=True)
    for part in (bought, signals):
        rows = rows.left_join(part, ["user_id", "t"]).drop("user_id_right", "t_right")
    return rows


def with_item_signals(sold: ir.Table, priced: ir.Table, signals: ir.Table, snapshots: ir.Table) -> ir.Table:
    """ITEM_NUMERIC: views, carts and conversions beside what is sold.

    Args:
        sold: `item_id`, `t` and ITEM_SOLD.
        priced: the same rows with `category`.
        signals: from `signal_events`.
        snapshots: moments with `t` in epoch seconds.
    """
    counts = _counts(signals.filter(signals.item_id.notnull()), ["item_id"], snapshots).drop("searches_28d")
    rows = sold
    for part in (priced.select("item_id", "t", "category"), counts):
        rows = rows.left_join(part, ["item_id", "t"]).drop("item_id_right", "t_right")
    rows = rows.mutate(**{name: rows[name].fill_null(0) for name in ("views_7d", "views_28d", "carts_28d")})
    within = ibis.window(group_by=["t", "category"])
    rows = rows.mutate(
        category_view_to_cart_28d=_share(rows.carts_28d.sum().over(within), rows.views_28d.sum().over(within)),
        category_cart_to_purchase_28d=_share(rows.purchases_28d.sum().over(within), rows.carts_28d.sum().over(within)),
    )
    rows = rows.mutate(
        view_to_cart_28d=_drawn(rows.carts_28d, rows.views_28d, rows.category_view_to_cart_28d),
        cart_to_purchase_28d=_drawn(rows.purchases_28d, rows.carts_28d, rows.category_cart_to_purchase_28d),
    )
    return rows.select("item_id", "t", *ITEM_SOLD, **{name: rows[name].cast("float32") for name in ITEM_SIGNALS})


def first_touches(signals: ir.Table) -> ir.Table:
    """`item_id`, `at`: when each item was first viewed, carted or rated."""
    known = signals.filter(signals.kind.isin(TOUCHES))
    return known.group_by("item_id").agg(at=known["at"].min())


def without_signals(rows: ir.Table, columns: Sequence[str]) -> ir.Table:
    """Rows of a dataset that has none: zeros."""
    return rows.mutate(**{name: ibis.literal(0.0, "float32") for name in columns})


def _last_touches(known: ir.Table, snapshots: ir.Table) -> ir.Table:
    """Days since the last view and cart, by user and t: of each kind only the last before t is joined."""
    touches = known.filter(known.kind.isin(TOUCHES)).select("user_id", "kind", "at").distinct()
    by_time = ibis.window(group_by=["user_id", "kind"], order_by="at")
    touches = touches.mutate(next_at=touches["at"].lead().over(by_time))
    last = touches.join(snapshots, [touches["at"] < snapshots.t, touches.next_at.isnull() | (touches.next_at >= snapshots.t)])
    days = (last.t - last["at"]) / DAY_S
    return last.group_by("user_id", "t").agg(
        days_since_last_view=days.min(where=last.kind == VIEW).fill_null(NEVER_DAYS),
        days_since_last_cart=days.min(where=last.kind == CART).fill_null(NEVER_DAYS),
    )


def _counts(known: ir.Table, keys: list[str], snapshots: ir.Table) -> ir.Table:
    """Views, carts and searches of late by key and t; of one key and second they are one row when they are joined."""
    seconds = known.group_by(*keys, "at").agg(
        views=(known.kind == VIEW).cast("int64").sum(),
        carts=(known.kind == CART).cast("int64").sum(),
        searches=(known.kind == SEARCH).cast("int64").sum(),
    )
    recent = seconds.join(snapshots, [seconds["at"] < snapshots.t, seconds["at"] >= snapshots.t - WINDOW_S])
    return recent.group_by(*keys, "t").agg(
        views_7d=recent.views.sum(where=recent.t - recent["at"] <= 7 * DAY_S).fill_null(0),
        views_28d=recent.views.sum(),
        carts_28d=recent.carts.sum(),
        searches_28d=recent.searches.sum(),
    )


def _conversions(known: ir.Table, occasions: ir.Table, snapshots: ir.Table) -> ir.Table:
    """The share of the items that a user viewed of late that they bought at the same time or later, and kept as of t."""
    views = known.filter(known.kind == VIEW)
    viewed = views.join(snapshots, [views["at"] < snapshots.t, views["at"] >= snapshots.t - WINDOW_S])
    viewed = viewed.group_by("user_id", "item_id", "t").agg(first_at=viewed["at"].min())
    buyers = occasions.filter(occasions.user_id.notnull())
    bought = buyers.join(snapshots, [*stands(buyers, snapshots), buyers["at"] >= snapshots.t - WINDOW_S])
    bought = bought.group_by("user_id", "item_id", "t").agg(last_at=bought["at"].max())
    both = viewed.left_join(bought, ["user_id", "item_id", "t"])
    is_bought = (both.last_at >= both.first_at).fill_null(False).cast("float64")
    return both.group_by("user_id", "t").agg(view_conversion_28d=is_bought.mean())


def _share(part: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingValue:
    return ibis.ifelse(whole > 0, ibis.least(part / whole.nullif(0), ibis.literal(1.0)), 0.0)


def _drawn(part: ir.NumericValue, whole: ir.NumericValue, towards: ir.NumericValue) -> ir.FloatingValue:
    return ibis.least((part + PRIOR_EVENTS * towards) / (whole + PRIOR_EVENTS), ibis.literal(1.0))
