"""Which categories and brands a user buys, lately more than long ago."""

from datetime import UTC, datetime

import ibis
import ibis.expr.types as ir

from endcap.contracts.moment import DAY_S
from endcap.features.ranked_list import collect_ranked

AFFINITY_MAX = 30
"""Categories and brands kept for a user."""

SHARE_MIN = 0.005
"""Smaller shares are left out: they say next to nothing, and for frequent shoppers they are most of what there is to rank."""

DECAY_DAYS = 60
"""A purchase weighs exp(-age_days / DECAY_DAYS)."""

ORIGIN = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())
"""Weights are kept relative to this instant, which cancels out in a share; doubles hold them for a century to either side."""


def group_weights(occasions: ir.Table, kind: str) -> ir.Table:
    """How much each user has bought of each category or brand by the time of each purchase or return of it.

    Args:
        occasions: purchase occasions.
        kind: "category" or "brand".

    Returns:
        `user_id`, `name` (of the category or brand), `code` (its place in alphabetical order: numbers rank several times as fast as long
        paths), `at`, `next_at` (the user's next purchase or return of it, null for the last), `weight` (decayed, relative to ORIGIN),
        `standing` (how many purchases that is).
    """
    known = _changes(occasions.filter(occasions[kind].notnull()))
    names = known.select(name=known[kind]).distinct()
    names = names.select("name", code=ibis.row_number().over(ibis.window(order_by="name")))
    weighted = known.select("user_id", "at", "weight", "standing", name=known[kind])
    return _running(weighted.inner_join(names, "name"), ["user_id", "name", "code"])


def user_weights(occasions: ir.Table) -> ir.Table:
    """As `group_weights`, of everything a user bought: `user_id`, `at`, `next_at`, `weight`, `standing`."""
    return _running(_changes(occasions), ["user_id"])


def user_affinity(kind: str, of_group: ir.Table, of_user: ir.Table, snapshots: ir.Table) -> ir.Table:
    """A user's categories or brands with their share of the user's decayed purchases.

    Args:
        kind: "category" or "brand".
        of_group: from `group_weights`, of the same kind.
        of_user: from `user_weights`.
        snapshots: moments with `t` in epoch seconds.

    Returns:
        `user_id`, `t`, `<kind>_ids` (list of text), `<kind>_shares` (list of float32), largest share first, at most AFFINITY_MAX.
    """
    total = _standing(of_user, snapshots).select("user_id", "t", total="weight")
    standing = _standing(of_group, snapshots).inner_join(total, ["user_id", "t"])
    shares = standing.select("user_id", "t", "name", "code", share=standing.weight / standing.total)
    shares = shares.filter(shares.share >= SHARE_MIN)
    # Sums differ in their last digits with the order of addition; rounding keeps ties ties.
    order = [ibis.desc(shares.share.round(9)), shares.code]
    ranked = shares.mutate(place=ibis.row_number().over(ibis.window(group_by=["user_id", "t"], order_by=order)))
    kept = ranked.filter(ranked.place < AFFINITY_MAX)
    kept = kept.select("user_id", "t", "place", **{f"{kind}_ids": kept.name, f"{kind}_shares": kept.share.cast("float32")})
    return collect_ranked(kept, ["user_id", "t"], "place", [f"{kind}_ids", f"{kind}_shares"])


def _weight(occasions: ir.Table) -> ir.FloatingValue:
    return ((occasions.at - ORIGIN) / (DECAY_DAYS * DAY_S)).exp()


def _changes(occasions: ir.Table) -> ir.Table:
    """Each occasion with its weight when it came, and with as much less when it was taken off."""
    known = occasions.filter(occasions.user_id.notnull(), occasions.since == occasions["at"])
    come = known.mutate(weight=_weight(known), standing=1)
    gone = come.filter(come.taken_off_at.notnull())
    gone = gone.mutate(at=gone.taken_off_at, weight=-gone.weight, standing=-gone.standing)
    return come.union(gone.select(*come.columns))


def _running(weighted: ir.Table, keys: list[str]) -> ir.Table:
    """Sums of weights so far by key; each stands until the key's next change."""
    sums = weighted.group_by([*keys, "at"]).agg(weight=weighted.weight.sum(), standing=weighted.standing.sum())
    so_far = ibis.cumulative_window(group_by=keys, order_by="at")
    return sums.select(
        *keys,
        "at",
        weight=sums.weight.sum().over(so_far),
        standing=sums.standing.sum().over(so_far),
        next_at=sums["at"].lead().over(ibis.window(group_by=keys, order_by="at")),
    )


def _standing(running: ir.Table, snapshots: ir.Table) -> ir.Table:
    """The sum that stands at each t, that of the last change before it; none where all was taken off, whatever rounding left."""
    kept = running.filter(running.standing > 0, running.weight > 0)
    return kept.join(snapshots, [kept["at"] < snapshots.t, kept.next_at.isnull() | (kept.next_at >= snapshots.t)])
