"""Names of every feature, in the order in which models take them. A model's input widths are the lengths of these tuples."""

HISTORY_LENGTH = 50
"""Items of a user's history that the query tower reads, newest last."""

PAIRS_MAX = 600
"""Distinct items of a user's past kept in the user x item features, those with the highest decayed count first."""

USER_NUMERIC: tuple[str, ...] = (
    "days_since_last_purchase",
    "tenure_days",
    "baskets_7d",
    "baskets_28d",
    "baskets_90d",
    "items_28d",
    "distinct_items_90d",
    "spend_28d",
    "spend_90d",
    "basket_spend_mean_90d",
    "basket_size_mean_90d",
    "repeat_share_90d",
    "price_level",
    "discount_share_90d",
    "promoted_share_90d",
    "weekend_share",
    "morning_share",
    "evening_share",
)
"""float32. Shares lie in [0, 1]; money in the dataset's currency; `price_level` is the mean of paid price over the item's category mean."""

USER_CATEGORICAL: tuple[str, ...] = ("region", "age_band", "income_band", "household_size", "household_composition")
"""Text; empty when unknown. The bundle's vocabularies turn them into int32, 0 for unknown."""

USER_HISTORY: tuple[str, ...] = ("history_item_ids", "history_occurred_at", "history_signals")
"""Lists of equal length (at most HISTORY_LENGTH): item ids, UTC epoch seconds (int64) and codes of `endcap.contracts.signals` (int64),
newest last.

An item bought several times stands once, at its last purchase. Its code is that of its last touch; of a view that of a cart where one was
filled with it within half an hour before.
"""

USER_AFFINITY: tuple[str, ...] = (
    "category_ids",
    "category_shares",
    "brand_ids",
    "brand_shares",
)
"""Lists: the user's finest categories (paths joined by " > ") and brands with their share of the user's decayed purchases.

Largest share first, at most 30.
"""

PAIR_LISTS: tuple[str, ...] = (
    "pair_item_ids",
    "pair_times_bought",
    "pair_baskets_28d",
    "pair_baskets_90d",
    "pair_last_bought_at",
    "pair_gap_mean_days",
    "pair_decayed_20d",
    "pair_decayed_60d",
)
"""One list per user x item quantity, of equal length (at most PAIRS_MAX), highest `pair_decayed_60d` first.

`pair_times_bought` counts baskets; `pair_last_bought_at` is in UTC epoch seconds; `pair_gap_mean_days` is the mean time between the
item's baskets, 0 when it was bought once; `pair_decayed_Nd` is the sum over baskets of exp(-age_days / N) at the row's time.
"""

ITEM_NUMERIC: tuple[str, ...] = (
    "purchases_7d",
    "purchases_28d",
    "purchases_90d",
    "buyers_28d",
    "buyers_90d",
    "new_buyers_7d",
    "new_buyers_28d",
    "share_of_category_28d",
    "trend",
    "price",
    "price_to_category",
    "discount_share_28d",
    "discount_depth_28d",
    "repeat_rate_90d",
    "item_age_days",
    "display_share",
    "mailer_share",
)
"""float32. `new_buyers_Nd` are buyers who had never bought the item before; `share_of_category_28d` is the item's share of the purchases of
its finest category; `trend` is log((purchases_7d + 1) / (purchases_28d / 4 + 1)); `display_share` and `mailer_share` are the shares of
shops that show or advertise the item in the row's week; `price_to_category` is the price over the mean price of the item's finest
category."""

CONTEXT: tuple[str, ...] = ("hour", "weekday", "month", "surface", "device")
"""int32: hour 0-23, weekday 0-6 (Monday 0) and month 1-12 in UTC; surface and device by their place in the lists below, 0 for unknown."""

CONTEXT_SIZES: tuple[int, ...] = (24, 7, 13, 16, 16)
"""Exclusive upper bounds of the context columns."""

SURFACES: tuple[str, ...] = ("unknown", "home", "product", "cart", "category", "search", "email")
DEVICES: tuple[str, ...] = ("unknown", "desktop", "mobile", "tablet", "till", "app")

PAIR_NUMERIC: tuple[str, ...] = (
    "times_bought",
    "baskets_28d",
    "baskets_90d",
    "days_since_bought",
    "gap_mean_days",
    "due_ratio",
    "decayed_20d",
    "decayed_60d",
    "basket_share_90d",
    "category_share",
    "brand_share",
    "department_share",
    "group_share",
    "category_decayed_60d",
    "category_items",
    "category_tried_28d",
    "category_days_since",
    "brand_in_category_share",
    "price_to_user_level",
    "price_to_category_level",
    "bought_with",
    "bought_with_of_late",
    "two_tower_score",
    "item_to_item_score",
    "buy_again_score",
    "popular_score",
    "in_session",
)
"""float32, one row a candidate: what the ranker knows of this user and this item, the scores of the sources that brought it included.

`due_ratio` is days_since_bought / gap_mean_days, 0 when the gap is unknown; `days_since_bought` is 400 for items never bought. Columns
between `department_share` and `price_to_category_level` are of `endcap.engine.ranking.pair_features`, those named `bought_with` of
`endcap.engine.ranking.pair_features`.
"""

OBJECTIVES: tuple[str, ...] = ("buy", "buy_again")
"""What the ranker predicts: a purchase within `HORIZON_DAYS`, and purchases in at least two baskets within it."""

HORIZON_DAYS = 28
