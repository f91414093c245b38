"""Purchase lines and occasions: the two tables that every behavioural feature is built from.

Each column of a line speaks of the line and its past only, so a feature at t is leak-free when it takes the lines that stand as of t
(`since` < t <= `until`): a line that was returned in part stands once for each quantity it had, one that was returned whole until then. The
look ahead, `until` of both and `next_at` of an occasion, is only ever compared with t: whether it lies before t is known at t.
"""

import ibis
import ibis.expr.types as ir

from endcap.features.instants import epoch_seconds
from endcap.features.promotion import promoted_lines
from endcap.features.standing import epochs, joined_stretches

PRICE_RATIO_MAX = 10.0
"""Paid price over category mean is cut here: one wrong price must not set a household's price level."""

CATEGORY_SEPARATOR = " > "


def finest_categories(items: ir.Table) -> ir.Table:
    """Item ids with their finest category (the whole path joined) and brand, both null when unknown."""
    path = items.category_path.join(CATEGORY_SEPARATOR)
    return items.select("item_id", category=path.nullif(""), brand=items.brand.nullif(""))


def purchase_lines(events: ir.Table, items: ir.Table, promotions: ir.Table, versions: ir.Table) -> ir.Table:
    """Purchases that may be used for personalisation, one row a line of a receipt or order, and a row more for each part taken off it.

    Prices and discounts per unit stay what they were when the line was bought.

    Args:
        events: the dataset's events.
        items: the catalogue.
        promotions: the dataset's promotions.
        versions: `endcap.features.net_purchases.VERSIONS_SCHEMA`.

    Returns:
        `event_id`, `user_id` (null when anonymous), `item_id`, `basket_id`, `at`, `since`, `until` (epoch seconds), `spend`, `shelf_price`
        (per unit, before discount), `shelf_value`, `discount_value`, `is_discounted`, `is_promoted` (on display or in the mailer of that
        shop at that time), `category`, `brand`, `price_ratio` (paid unit price over the mean of its category's lines up to that second, at
        most PRICE_RATIO_MAX). A line whose price is unknown has spend, prices and discounts of 0, a ratio of 1, and no part in the mean.
    """
    bought = events.filter(events.event_type == "purchase", events.consent, events.item_id.notnull())
    lines = bought.select(
        "event_id",
        "user_id",
        "item_id",
        "store_id",
        "occurred_at",
        basket_id=bought.session_id,
        at=epoch_seconds(bought.occurred_at),
        quantity=bought.quantity.fill_null(1.0),
        paid_price=bought.unit_price,
        discount=bought.unit_discount.fill_null(0.0),
    )
    catalogue = finest_categories(items)
    lines = lines.left_join(catalogue, "item_id").drop("item_id_right")
    promoted = promoted_lines(lines, promotions).mutate(is_promoted=True)
    lines = lines.left_join(promoted, "event_id").drop("event_id_right")
    lines = _in_versions(_priced(lines), versions)
    return lines.select(
        "event_id",
        "user_id",
        "item_id",
        "basket_id",
        "at",
        "since",
        "until",
        "category",
        "brand",
        spend=lines.quantity * lines.paid_price,
        shelf_price=lines.paid_price + lines.discount,
        shelf_value=lines.quantity * (lines.paid_price + lines.discount),
        discount_value=lines.quantity * lines.discount,
        is_discounted=lines.discount > 0,
        is_promoted=lines.is_promoted.fill_null(False),
        price_ratio=lines.price_ratio,
    )


def _priced(lines: ir.Table) -> ir.Table:
    """With `price_ratio`, and amounts of 0 where the price is unknown."""
    so_far = ibis.range_window(group_by="category", order_by="at", preceding=None, following=0)
    category_mean = lines.paid_price.mean().over(so_far)
    ratio = ibis.ifelse((category_mean > 0) & lines.paid_price.notnull(), lines.paid_price / category_mean, 1.0)
    return lines.mutate(
        price_ratio=ibis.least(ratio, ibis.literal(PRICE_RATIO_MAX)),
        # What was taken off says nothing where what was paid is unknown.
        discount=ibis.ifelse(lines.paid_price.isnull(), 0.0, lines.discount),
        paid_price=lines.paid_price.fill_null(0.0),
    )


def _in_versions(lines: ir.Table, versions: ir.Table) -> ir.Table:
    """Each line with `since` and `until`, once for each quantity it had."""
    left = versions.select("event_id", "since", "until", left="quantity")
    lines = lines.left_join(left, "event_id").drop("event_id_right")
    return lines.mutate(quantity=ibis.coalesce(lines.left, lines.quantity), since=ibis.coalesce(lines.since, lines["at"]))


def purchase_occasions(lines: ir.Table) -> ir.Table:
    """One row for each item in each basket, and one more for each time another purchase of it was taken off: the user bought it then, in
    whatever quantity.

    Returns:
        `user_id`, `item_id`, `basket_id`, `at` (the first of its lines: a basket open across a snapshot counts before it), `category`,
        `brand`, `taken_off_at` (when the last of its lines was taken off, null while any stands), `since` and `until`, `previous_at` and
        `next_at`: when the same user bought the same item in another basket that stands too, null for the first and the last.
    """
    occasions = joined_stretches(lines, ["user_id", "item_id", "basket_id"], ["category", "brand"])
    versions = epochs(occasions.mutate(taken_off_at=occasions.until), ["user_id", "item_id"])
    by_time = ibis.window(group_by=["user_id", "item_id", "epoch"], order_by=["at", "basket_id"])
    return versions.mutate(previous_at=versions["at"].lag().over(by_time), next_at=versions["at"].lead().over(by_time)).drop("epoch")


def basket_openings(lines: ir.Table) -> ir.Table:
    """`user_id`, `basket_id`, `at` (the first line of each basket), `since`, `until`."""
    openings = joined_stretches(lines, ["user_id", "basket_id"])
    return openings.mutate(since=openings["at"])
