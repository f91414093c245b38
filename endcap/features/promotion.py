"""Promotions: which purchases fell under one, and how widely each item is shown and advertised in a week.

A promotion is a plan made before it starts, so the row at t may know the promotions in force in the week that begins at t.
"""

import ibis
import ibis.expr.types as ir

from endcap.contracts.moment import DAY_S
from endcap.features.instants import epoch_seconds

IN_FORCE_AFTER = DAY_S // 2
"""A row at t speaks of the promotions in force half a day later, so that weeks that begin at midnight of the shop's zone count as begun."""


def promoted_lines(lines: ir.Table, promotions: ir.Table) -> ir.Table:
    """`event_id` of the lines whose item was on display or in the mailer of their shop when they were bought.

    Args:
        lines: `event_id`, `item_id`, `store_id`, `occurred_at`.
        promotions: the dataset's promotions; one without a shop holds in every shop.
    """
    shown = promotions.filter(_is_given(promotions.display) | _is_given(promotions.mailer))
    shown = shown.select("item_id", "starts_at", "ends_at", promoted_in=shown.store_id)
    everywhere = shown.filter(shown.promoted_in.isnull()).drop("promoted_in")
    in_shop = shown.inner_join(
        lines,
        [
            shown.item_id == lines.item_id,
            shown.promoted_in == lines.store_id,
            shown.starts_at <= lines.occurred_at,
            shown.ends_at > lines.occurred_at,
        ],
    ).select("event_id")
    anywhere = everywhere.inner_join(
        lines,
        [everywhere.item_id == lines.item_id, everywhere.starts_at <= lines.occurred_at, everywhere.ends_at > lines.occurred_at],
    ).select("event_id")
    return in_shop.union(anywhere).distinct()


def promotion_shares(promotions: ir.Table, snapshots: ir.Table) -> ir.Table:
    """How much of the shops shows or advertises an item.

    A shop that has two promotions of one item at once counts twice, which is rare; shares are cut at 1.

    Args:
        promotions: the dataset's promotions.
        snapshots: moments with `t` in epoch seconds.

    Returns:
        `item_id`, `t`, `display_share`, `mailer_share`: the share of the shops with any promotion in force that display the item, or
        have it in their mailer. 1 for a promotion without a shop.
    """
    period = ["starts_at", "ends_at"]
    per_item = promotions.group_by("item_id", *period).agg(
        displays=promotions.count(where=_is_given(promotions.display) & promotions.store_id.notnull()),
        mailers=promotions.count(where=_is_given(promotions.mailer) & promotions.store_id.notnull()),
        displays_everywhere=promotions.count(where=_is_given(promotions.display) & promotions.store_id.isnull()),
        mailers_everywhere=promotions.count(where=_is_given(promotions.mailer) & promotions.store_id.isnull()),
    )
    shops = (
        _in_force(promotions.select("store_id", *period).distinct(), snapshots)
        .group_by("t")
        .agg(shops=lambda shop: shop.store_id.nunique())
    )
    current = (
        _in_force(per_item, snapshots)
        .group_by("item_id", "t")
        .agg(
            displays=lambda row: row.displays.sum(),
            mailers=lambda row: row.mailers.sum(),
            displays_everywhere=lambda row: row.displays_everywhere.sum(),
            mailers_everywhere=lambda row: row.mailers_everywhere.sum(),
        )
    )
    shares = current.inner_join(shops, "t")
    return shares.select(
        "item_id",
        "t",
        display_share=_share(shares.displays, shares.displays_everywhere, shares.shops),
        mailer_share=_share(shares.mailers, shares.mailers_everywhere, shares.shops),
    )


def _is_given(text: ir.StringValue) -> ir.BooleanValue:
    """Empty text means none, as null does."""
    return text.fill_null("") != ""


def _in_force(rows: ir.Table, snapshots: ir.Table) -> ir.Table:
    """Rows with a period, once for each snapshot they are in force at."""
    timed = rows.mutate(starts=epoch_seconds(rows.starts_at), ends=epoch_seconds(rows.ends_at))
    return timed.join(snapshots, [timed.starts <= snapshots.t + IN_FORCE_AFTER, timed.ends > snapshots.t + IN_FORCE_AFTER])


def _share(shops_with: ir.IntegerValue, everywhere: ir.IntegerValue, shops: ir.IntegerValue) -> ir.FloatingValue:
    share = ibis.least(shops_with / shops.nullif(0), ibis.literal(1.0)).fill_null(0.0)
    return ibis.ifelse(everywhere > 0, ibis.literal(1.0), share)
