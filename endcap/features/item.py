"""How an item sells, what it costs and how it is promoted."""

import ibis
import ibis.expr.types as ir

from endcap.contracts.moment import DAY_S
from endcap.features.columns import ITEM_SOLD
from endcap.features.instants import epoch_seconds
from endcap.features.promotion import promotion_shares
from endcap.features.purchases import finest_categories
from endcap.features.standing import stands

_COUNTS = ("purchases_7d", "purchases_28d", "purchases_90d", "buyers_28d", "buyers_90d", "new_buyers_7d", "new_buyers_28d")


def priced_items(lines: ir.Table, items: ir.Table, snapshots: ir.Table, touches: ir.Table | None = None) -> ir.Table:
    """The rows of the item features, with price and age.

    Rows: items sold, viewed, carted or rated before t; at the data's end the whole catalogue, whose own price and creation time then stand
    in for what sales do not tell. Before that the catalogue's price, being the present one, would leak.

    Args:
        lines: purchase lines.
        items: the catalogue.
        snapshots: moments with `t` in epoch seconds and `is_data_end`.
        touches: `item_id`, `at` of what happened to items beside purchases; None for nothing.

    Returns:
        `item_id`, `t`, `category` (null when unknown), `price` (0 when unknown), `item_age_days`.
    """
    known = lines.select("item_id", "at") if touches is None else lines.select("item_id", "at").union(touches.select("item_id", "at"))
    first_known = known.group_by("item_id").agg(first_at=known["at"].min())
    catalogue = items.select("item_id", catalogue_price=items.price, created_at=epoch_seconds(items.created_at))
    catalogue = catalogue.inner_join(finest_categories(items), "item_id")
    known = first_known.outer_join(catalogue, "item_id")
    known = known.select("first_at", "created_at", "catalogue_price", "category", item_id=ibis.coalesce(known.item_id, known.item_id_right))
    rows = known.join(snapshots, (known.first_at < snapshots.t) | snapshots.is_data_end)
    rows = rows.select("item_id", "t", "is_data_end", "catalogue_price", "category", "first_at", "created_at")
    rows = rows.mutate(
        first_at=ibis.ifelse(rows.first_at < rows.t, rows.first_at, rows.t),
        created_at=ibis.ifelse(rows.created_at < rows.t, rows.created_at, rows.t),
    )
    rows = rows.left_join(_last_prices(lines, snapshots), ["item_id", "t"]).drop("item_id_right", "t_right")
    return rows.select(
        "item_id",
        "t",
        "category",
        price=rows.last_price.fill_null(ibis.ifelse(rows.is_data_end, rows.catalogue_price, None)).fill_null(0.0),
        item_age_days=(rows.t - ibis.least(rows.first_at, rows.created_at)) / DAY_S,
    )


def item_numeric(priced: ir.Table, lines: ir.Table, occasions: ir.Table, promotions: ir.Table, snapshots: ir.Table) -> ir.Table:
    """Popularity, new buyers, trend, price, discount, repeat rate, age and promotion of items.

    Args:
        priced: from `priced_items`.
        lines: purchase lines.
        occasions: purchase occasions.
        promotions: the dataset's promotions.
        snapshots: moments with `t` in epoch seconds and `is_data_end`.

    Returns:
        `item_id`, `t` and ITEM_SOLD as float32, with the rows of `priced`.
    """
    rows = priced
    for part in (_popularity(occasions, snapshots), _discounts(lines, snapshots), promotion_shares(promotions, snapshots)):
        rows = rows.left_join(part, ["item_id", "t"]).drop("item_id_right", "t_right")
    rows = rows.left_join(_category_prices(priced), ["t", "category"]).drop("t_right", "category_right")
    counts = {name: rows[name].fill_null(0) for name in _COUNTS}
    of_category = rows.purchases_28d.sum().over(ibis.window(group_by=["t", "category"]))
    rows = rows.mutate(category_purchases_28d=ibis.ifelse(rows.category.notnull(), of_category, 0))
    rows = rows.mutate(
        **counts,
        share_of_category_28d=ibis.ifelse(rows.category.isnull(), 0.0, _share(rows.purchases_28d, rows.category_purchases_28d)).fill_null(
            0.0
        ),
        price_to_category=ibis.ifelse(rows.price > 0, rows.price / rows.category_price, 1.0).fill_null(1.0),
        repeat_rate_90d=_share(rows.repeat_buyers_90d, rows.buyers_90d),
        discount_share_28d=_share(rows.discounted_28d, rows.lines_28d),
        discount_depth_28d=_share(rows.discount_28d, rows.shelf_28d),
        display_share=rows.display_share.fill_null(0.0),
        mailer_share=rows.mailer_share.fill_null(0.0),
    )
    rows = rows.mutate(trend=((rows.purchases_7d + 1) / (rows.purchases_28d / 4 + 1)).ln())
    return rows.select("item_id", "t", **{name: rows[name].cast("float32") for name in ITEM_SOLD})


def _category_prices(priced: ir.Table) -> ir.Table:
    """The mean price of each category's items at t, each item counted once."""
    known = priced.filter(priced.price > 0, priced.category.notnull())
    return known.group_by("t", "category").agg(category_price=known.price.mean())


def _popularity(occasions: ir.Table, snapshots: ir.Table) -> ir.Table:
    """Baskets and buyers. A buyer is counted at the last occasion before t, and as a repeat buyer when the one before it is recent too; a
    new buyer at the first occasion of all."""
    recent = occasions.join(snapshots, [*stands(occasions, snapshots), occasions.at >= snapshots.t - 90 * DAY_S])
    age = recent.t - recent["at"]
    is_last = recent.user_id.notnull() & (recent.next_at.isnull() | (recent.next_at >= recent.t))
    is_first = recent.user_id.notnull() & recent.previous_at.isnull()
    # Spark counts nothing, and not none, where a condition is null in all rows.
    is_repeat = is_last & recent.previous_at.notnull() & (recent.previous_at >= recent.t - 90 * DAY_S)
    return recent.group_by("item_id", "t").agg(
        purchases_7d=recent.count(where=age <= 7 * DAY_S),
        purchases_28d=recent.count(where=age <= 28 * DAY_S),
        purchases_90d=recent.count(),
        buyers_28d=recent.count(where=is_last & (age <= 28 * DAY_S)),
        buyers_90d=recent.count(where=is_last),
        new_buyers_7d=recent.count(where=is_first & (age <= 7 * DAY_S)),
        new_buyers_28d=recent.count(where=is_first & (age <= 28 * DAY_S)),
        repeat_buyers_90d=recent.count(where=is_repeat),
    )


def _discounts(lines: ir.Table, snapshots: ir.Table) -> ir.Table:
    recent = lines.join(snapshots, [*stands(lines, snapshots), lines.at >= snapshots.t - 28 * DAY_S])
    return recent.group_by("item_id", "t").agg(
        lines_28d=recent.count(),
        discounted_28d=recent.count(where=recent.is_discounted),
        discount_28d=recent.discount_value.sum(),
        shelf_28d=recent.shelf_value.sum(),
    )


def _last_prices(lines: ir.Table, snapshots: ir.Table) -> ir.Table:
    """The shelf price of the last line before t that had one, whether it was returned or not; the highest of those within one second."""
    priced = lines.filter(lines.shelf_price > 0)
    prices = priced.group_by("item_id", "at").agg(last_price=priced.shelf_price.max())
    prices = prices.mutate(next_at=prices.at.lead().over(ibis.window(group_by="item_id", order_by="at")))
    standing = prices.join(snapshots, [prices.at < snapshots.t, prices.next_at.isnull() | (prices.next_at >= snapshots.t)])
    return standing.select("item_id", "t", "last_price")


def _share(part: ir.NumericValue, whole: ir.NumericValue) -> ir.FloatingValue:
    return ibis.ifelse(whole.fill_null(0) > 0, part / whole.nullif(0), 0.0)
