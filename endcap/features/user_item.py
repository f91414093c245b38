"""What the ranker knows of a user and an item the user has bought: how often, how long ago, how regularly."""

import ibis
import ibis.expr.types as ir

from endcap.contracts.moment import DAY_S
from endcap.features.columns import PAIR_BOUGHT, PAIRS_MAX
from endcap.features.ranked_list import collect_ranked
from endcap.features.standing import stands


def user_item(occasions: ir.Table, snapshots: ir.Table) -> ir.Table:
    """Each user's bought items with their counts, recency, gap and decayed counts at t.

    Every past occasion is joined with every snapshot after it, so give only the few snapshots that ranking needs.

    Args:
        occasions: purchase occasions.
        snapshots: moments with `t` in epoch seconds.

    Returns:
        `user_id`, `t` and PAIR_BOUGHT, at most PAIRS_MAX items, highest decayed count over 60 days first.
    """
    known = occasions.filter(occasions.user_id.notnull())
    past = known.join(snapshots, stands(known, snapshots))
    age_days = (past.t - past.at) / DAY_S
    pairs = past.group_by("user_id", "t", "item_id").agg(
        times=past.count(),
        first_at=past["at"].min(),
        last_at=past["at"].max(),
        baskets_28d=past.count(where=age_days <= 28),
        baskets_90d=past.count(where=age_days <= 90),
        decayed_20d=(-age_days / 20).exp().sum(),
        decayed_60d=(-age_days / 60).exp().sum(),
    )
    gap_days = ibis.ifelse(pairs.times > 1, (pairs.last_at - pairs.first_at) / DAY_S / (pairs.times - 1).nullif(0), 0.0)
    # Sums differ in their last digits with the order of addition; rounding keeps ties ties.
    order = [ibis.desc(pairs.decayed_60d.round(9)), pairs.item_id]
    ranked = pairs.select(
        "user_id",
        "t",
        place=ibis.row_number().over(ibis.window(group_by=["user_id", "t"], order_by=order)),
        pair_item_ids=pairs.item_id,
        pair_times_bought=pairs.times.cast("float32"),
        pair_baskets_28d=pairs.baskets_28d.cast("float32"),
        pair_baskets_90d=pairs.baskets_90d.cast("float32"),
        pair_last_bought_at=pairs.last_at.cast("int64"),
        pair_gap_mean_days=gap_days.cast("float32"),
        pair_decayed_20d=pairs.decayed_20d.cast("float32"),
        pair_decayed_60d=pairs.decayed_60d.cast("float32"),
    )
    return collect_ranked(ranked.filter(ranked.place < PAIRS_MAX), ["user_id", "t"], "place", PAIR_BOUGHT)
