"""What a user's purchases before t say about the user as a whole, and the user's own attributes."""

import ibis
import ibis.expr.types as ir

from endcap.contracts.moment import DAY_S
from endcap.features.columns import USER_BOUGHT, USER_CATEGORICAL
from endcap.features.instants import hour_of_day, weekday
from endcap.features.purchases import basket_openings
from endcap.features.standing import stands

SATURDAY = 5
MORNING = (6, 12)
"""From six until noon, UTC."""
EVENING = (18, 24)
"""From six until midnight, UTC."""


def user_numeric(lines: ir.Table, occasions: ir.Table, snapshots: ir.Table) -> ir.Table:
    """Recency, frequency, spend, price level, promotion sensitivity and habit.

    Args:
        lines: purchase lines.
        occasions: purchase occasions.
        snapshots: moments with `t` in epoch seconds.

    Returns:
        `user_id`, `t` and USER_BOUGHT as float32, one row for each user with a purchase before t.
    """
    moments = _shopping_moments(lines, occasions)
    past = moments.join(snapshots, stands(moments, snapshots))
    age = past.t - past.at
    recent_7d, recent_28d, recent_90d = age <= 7 * DAY_S, age <= 28 * DAY_S, age <= 90 * DAY_S
    totals = past.group_by("user_id", "t").agg(
        days_since_last_purchase=(past.t - past.at).min(where=past.lines > 0) / DAY_S,
        tenure_days=(past.t - past.at).max(where=past.lines > 0) / DAY_S,
        baskets=past.baskets.sum(),
        baskets_7d=past.baskets.sum(where=recent_7d).fill_null(0),
        baskets_28d=past.baskets.sum(where=recent_28d).fill_null(0),
        baskets_90d=past.baskets.sum(where=recent_90d).fill_null(0),
        items_28d=past.lines.sum(where=recent_28d).fill_null(0),
        spend_28d=past.spend.sum(where=recent_28d).fill_null(0.0),
        spend_90d=past.spend.sum(where=recent_90d).fill_null(0.0),
        lines=past.lines.sum(),
        lines_90d=past.lines.sum(where=recent_90d).fill_null(0),
        occasions_90d=past.occasions.sum(where=recent_90d).fill_null(0),
        repeats_90d=past.repeats.sum(where=recent_90d).fill_null(0),
        price_ratio=past.price_ratio.sum(),
        discounted_90d=past.discounted.sum(where=recent_90d).fill_null(0),
        promoted_90d=past.promoted.sum(where=recent_90d).fill_null(0),
        weekend=past.baskets.sum(where=weekday(past["at"]) >= SATURDAY).fill_null(0),
        morning=past.baskets.sum(where=hour_of_day(past["at"]).between(MORNING[0], MORNING[1] - 1)).fill_null(0),
        evening=past.baskets.sum(where=hour_of_day(past["at"]).between(EVENING[0], EVENING[1] - 1)).fill_null(0),
    )
    totals = totals.left_join(_distinct_items(occasions, snapshots), ["user_id", "t"]).drop("user_id_right", "t_right")
    ratios = totals.mutate(
        distinct_items_90d=totals.distinct_items_90d.fill_null(0),
        basket_spend_mean_90d=_ratio(totals.spend_90d, totals.baskets_90d),
        basket_size_mean_90d=_ratio(totals.lines_90d, totals.baskets_90d),
        repeat_share_90d=_ratio(totals.repeats_90d, totals.occasions_90d),
        price_level=_ratio(totals.price_ratio, totals.lines, neutral=1.0),
        discount_share_90d=_ratio(totals.discounted_90d, totals.lines_90d),
        promoted_share_90d=_ratio(totals.promoted_90d, totals.lines_90d),
        weekend_share=_ratio(totals.weekend, totals.baskets),
        morning_share=_ratio(totals.morning, totals.baskets),
        evening_share=_ratio(totals.evening, totals.baskets),
    )
    return ratios.select("user_id", "t", **{name: ratios[name].cast("float32") for name in USER_BOUGHT})


def user_categorical(users: ir.Table) -> ir.Table:
    """`user_id` and USER_CATEGORICAL as text, empty when unknown. Attributes have no history: every snapshot has the same."""
    return users.select("user_id", **{name: users[name].fill_null("") for name in USER_CATEGORICAL})


_MOMENT = ("user_id", "at", "since", "until")
_SUMS = ("lines", "spend", "price_ratio", "discounted", "promoted", "baskets", "occasions", "repeats")


def _shopping_moments(lines: ir.Table, occasions: ir.Table) -> ir.Table:
    """Lines of one user at one second as one row: far fewer rows to join with the snapshots than lines."""
    known = lines.filter(lines.user_id.notnull())
    sums = known.group_by(*_MOMENT).agg(
        lines=known.count(),
        spend=known.spend.sum(),
        price_ratio=known.price_ratio.sum(),
        discounted=known.is_discounted.cast("int64").sum(),
        promoted=known.is_promoted.cast("int64").sum(),
    )
    opened = basket_openings(known)
    baskets = opened.group_by(*_MOMENT).agg(baskets=opened.count())
    known_occasions = occasions.filter(occasions.user_id.notnull())
    repeats = known_occasions.group_by(*_MOMENT).agg(
        occasions=known_occasions.count(),
        repeats=known_occasions.previous_at.notnull().cast("int64").sum(),
    )
    # Not joined: what stands for a time only need not stand for the same time in all three.
    parts = ibis.union(*(_with_all_sums(part) for part in (sums, baskets, repeats)))
    return parts.group_by(*_MOMENT).agg(**{name: parts[name].sum() for name in _SUMS})


def _with_all_sums(part: ir.Table) -> ir.Table:
    kinds = {name: "float64" if name in ("spend", "price_ratio") else "int64" for name in _SUMS}
    given = {name: part[name] if name in part.columns else ibis.literal(0) for name in _SUMS}
    return part.select(*_MOMENT, **{name: value.cast(kinds[name]) for name, value in given.items()})


def _distinct_items(occasions: ir.Table, snapshots: ir.Table) -> ir.Table:
    """Distinct items of the last 90 days, counted as the last occasion of each before t: no distinct over the joined rows."""
    known = occasions.filter(occasions.user_id.notnull())
    last = known.join(
        snapshots,
        [*stands(known, snapshots), known.at >= snapshots.t - 90 * DAY_S, known.next_at.isnull() | (known.next_at >= snapshots.t)],
    )
    return last.group_by("user_id", "t").agg(distinct_items_90d=last.count())


def _ratio(part: ir.NumericValue, whole: ir.NumericValue, neutral: float = 0.0) -> ir.FloatingValue:
    return ibis.ifelse(whole > 0, part / whole.nullif(0), neutral)
