"""The items a user touched last, the sequence that the query tower reads."""

import ibis
import ibis.expr.types as ir

from endcap.contracts.event import EventType
from endcap.contracts.signals import PURCHASE_CODE, signal_code
from endcap.features.columns import ACT_SECONDS, HISTORY_LENGTH, USER_HISTORY
from endcap.features.instants import epoch_seconds
from endcap.features.ranked_list import collect_ranked
from endcap.features.standing import NEVER, epochs, stands

RATING = EventType.RATING.value
HISTORY_EVENTS = (EventType.PRODUCT_VIEW.value, EventType.ADD_TO_CART.value, RATING)
"""Event types that put an item into the history beside purchases; types the data lacks simply add nothing."""


def item_touches(events: ir.Table, lines: ir.Table, low_rating: float | None = None, *, ratings: bool = True) -> ir.Table:
    """Every moment at which a user bought, viewed, carted or rated an item; a purchase until it is taken off, all of them until the user
    rates the item low.

    Args:
        events: the dataset's events.
        lines: purchase lines.
        low_rating: ratings up to this are no touches and end those before them; None for none.
        ratings: whether ratings count at all.

    Returns:
        `user_id`, `item_id`, `at`, `since`, `until` (epoch seconds), `next_at` (the user's next touch of the item, null for the last),
        `signal` (int64, the code of `endcap.contracts.signals`: a purchase, else the strongest type of the act that the touch ends),
        `new_items` (how many distinct items the user had touched for good by `at`, that second included).
    """
    kinds = [kind for kind in HISTORY_EVENTS if ratings or kind != RATING]
    wanted = events.filter(events.event_type.isin(kinds), events.consent, events.user_id.notnull(), events.item_id.notnull())
    low = None
    if ratings and low_rating is not None:
        is_low = ((wanted.event_type == RATING) & (wanted.rating <= low_rating)).fill_null(False)
        low = wanted.filter(is_low).select("user_id", "item_id", low_at=epoch_seconds(wanted.occurred_at)).distinct()
        wanted = wanted.filter(~is_low)
    code = wanted.event_type.cases(*((name, signal_code(name)) for name in HISTORY_EVENTS)).cast("int64")
    seen = wanted.select("user_id", "item_id", at=epoch_seconds(wanted.occurred_at), signal=code)
    # Over looks alone, since a window over purchases would be for nothing where they are all there is.
    of_act = ibis.range_window(group_by=["user_id", "item_id"], order_by="at", preceding=ACT_SECONDS, following=0)
    seen = seen.mutate(until=ibis.null("int64"), signal=seen.signal.min().over(of_act))
    bought = lines.filter(lines.user_id.notnull()).select("user_id", "item_id", "at", "until")
    bought = bought.mutate(signal=ibis.literal(PURCHASE_CODE, "int64"))
    both = seen.select(*bought.columns).union(bought)
    if low is not None:
        both = _until_rated_low(both, low)
    touches = both.group_by("user_id", "item_id", "at", "until").agg(signal=both.signal.min())
    for_good = touches.until.isnull()
    first = ibis.ifelse(for_good, touches["at"], ibis.null("int64")).min().over(ibis.window(group_by=["user_id", "item_id"]))
    touches = touches.mutate(is_new=(for_good & (touches["at"] == first)).cast("int64"))
    so_far = ibis.range_window(group_by="user_id", order_by="at", preceding=None, following=0)
    touches = epochs(touches.mutate(new_items=touches.is_new.sum().over(so_far)), ["user_id", "item_id"])
    # Of one second the strongest is last, so that it is what stays until it is taken off.
    by_time = ibis.window(group_by=["user_id", "item_id", "epoch"], order_by=[touches["at"], ibis.desc(touches.signal)])
    touches = touches.mutate(next_at=touches["at"].lead().over(by_time))
    return touches.select("user_id", "item_id", "at", "since", "until", "next_at", "signal", "new_items")


def _until_rated_low(touches: ir.Table, low: ir.Table) -> ir.Table:
    """Touches of an item end with the user's next low rating of it, in the same second or later.

    Args:
        touches: `user_id`, `item_id`, `at`, `until`, `signal`.
        low: `user_id`, `item_id`, `low_at`, distinct.
    """
    rated = touches.semi_join(low, ["user_id", "item_id"])
    joined = rated.inner_join(low, ["user_id", "item_id"])
    ended = joined.group_by(*touches.columns).agg(low_at=joined.low_at.min(where=joined.low_at >= joined["at"]))
    until = ibis.least(ended.until.fill_null(NEVER), ended.low_at.fill_null(NEVER)).nullif(NEVER)
    return touches.anti_join(low, ["user_id", "item_id"]).union(ended.mutate(until=until).select(*touches.columns))


def user_history(touches: ir.Table, snapshots: ir.Table) -> ir.Table:
    """The last HISTORY_LENGTH distinct items before t, each at its last touch.

    A touch after which HISTORY_LENGTH items followed that were new to the user and stay can be in no list; dropping these before
    ranking leaves a fraction.

    Args:
        touches: from `item_touches`.
        snapshots: moments with `t` in epoch seconds.

    Returns:
        `user_id`, `t`, `history_item_ids` (list of text), `history_occurred_at` (list of int64 epoch seconds), `history_signals` (list of
        int64 codes), newest last; equal times in the order of item ids.
    """
    moments = touches.group_by("user_id", "at").agg(new_items=touches.new_items.max())
    past = moments.join(snapshots, moments.at < snapshots.t)
    reached = past.group_by("user_id", "t").agg(new_items_before_t=past.new_items.max())
    candidates = touches.inner_join(reached, "user_id")
    candidates = candidates.filter(
        *stands(candidates, candidates),
        candidates.next_at.isnull() | (candidates.next_at >= candidates.t),
        candidates.new_items_before_t - candidates.new_items < HISTORY_LENGTH,
    )
    newest_first = ibis.window(group_by=["user_id", "t"], order_by=[ibis.desc(candidates.at), ibis.desc(candidates.item_id)])
    ranked = candidates.mutate(age_rank=ibis.row_number().over(newest_first))
    kept = ranked.filter(ranked.age_rank < HISTORY_LENGTH)
    item_ids, occurred_at, signals = USER_HISTORY
    columns = {item_ids: kept.item_id, occurred_at: kept.at, signals: kept.signal}
    kept = kept.select("user_id", "t", place=-kept.age_rank, **columns)
    return collect_ranked(kept, ["user_id", "t"], "place", USER_HISTORY)
