"""Names of every feature, in the order in which models take them. A model's input widths are the lengths of these tuples."""

HISTORY_LENGTH = 50
"""Items of a user's history that the query tower reads, newest last."""

PAIRS_MAX = 600
"""Distinct items of a user's past kept in the user x item features, those with the highest decayed count first."""

USER_BOUGHT: tuple[str, ...] = (
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
USER_SIGNALS: tuple[str, ...] = (
    "views_7d",
    "views_28d",
    "carts_28d",
    "searches_28d",
    "days_since_last_view",
    "days_since_last_cart",
    "view_conversion_28d",
)
USER_NUMERIC: tuple[str, ...] = (*USER_BOUGHT, *USER_SIGNALS)
"""float32, of what a user bought and of what else they did. Shares lie in [0, 1]; money in the dataset's currency; `price_level` is the
mean of paid price over the item's category mean; `view_conversion_28d` is the share of the items viewed within 28 days that were bought
since. Days since what never happened are NEVER_DAYS; in a dataset of purchases alone the columns of USER_SIGNALS are 0."""

NEVER_DAYS = 400.0

USER_CATEGORICAL: tuple[str, ...] = ("region", "age_band", "income_band", "household_size", "household_composition")
"""Text; empty when unknown. The bundle's vocabularies turn them into int32, 0 for unknown."""

USER_HISTORY: tuple[str, ...] = ("history_item_ids", "history_occurred_at", "history_signals")
"""Lists of equal length (at most HISTORY_LENGTH): item ids, UTC epoch seconds (int64) and codes of `endcap.contracts.signals` (int64),
newest last.

An item bought several times stands once, at its last purchase. Its code is that of its last touch; of a view that of a cart where one was
filled with it within half an hour before. What the user rated low stands there no more, until they touch it again.
"""

ACT_SECONDS = 1800
"""A cart so shortly before a view of the same item belongs to the same act, which stays one of a cart."""

RECENT_TOUCHES: tuple[str, ...] = ("recent_item_ids", "recent_occurred_at", "recent_kinds", "recent_signals", "recent_visits")
"""Lists of equal length: what a person did lately, event by event, newest last; of one second in the order of item ids.

`recent_occurred_at` is in UTC epoch seconds; `recent_kinds` has codes of `endcap.contracts.recent_kind`; `recent_signals` says what the
event is in the history (codes of `endcap.contracts.signals`), 0 where it does not stand there, or not any more, and ENDS_TOUCHES where it
ends what was there of the item; `recent_visits` is the place of its visit in `recent_visit_ids`.
"""

ENDS_TOUCHES = -1

RECENT_BOUGHT: tuple[str, ...] = ("recent_bought_item_ids", "recent_bought_at", "recent_bought_until")
"""Lists of equal length: occasions, an item in a basket each, oldest first; when, and when all of it was taken back, 0 while it stands;
both in UTC epoch seconds."""

RECENT_MOVED = "recent_moved_s"

USER_RECENT: tuple[str, ...] = (*RECENT_TOUCHES, *RECENT_BOUGHT, "recent_visit_ids", RECENT_MOVED)
"""What the stream knows of a person, whether the batch features have it yet or not.

`recent_moved_s` is by how many seconds these times lie before those of the events: a bundle of recorded data answers as of a moment
long past.
"""

RECENT_EVENTS = 4 * HISTORY_LENGTH
"""Of touches, and of purchases with what was taken back of them, so many of a person are kept, the newest."""

USER_AFFINITY: tuple[str, ...] = (
    "category_ids",
    "category_shares",
    "brand_ids",
    "brand_shares",
)
"""Lists: the user's finest categories (paths joined by " > ") and brands with their share of the user's decayed purchases.

Largest share first, at most 30.
"""

PAIR_BOUGHT: tuple[str, ...] = (
    "pair_item_ids",
    "pair_times_bought",
    "pair_baskets_28d",
    "pair_baskets_90d",
    "pair_last_bought_at",
    "pair_gap_mean_days",
    "pair_decayed_20d",
    "pair_decayed_60d",
)
"""One list per quantity of a user and an item they bought, of equal length (at most PAIRS_MAX), highest `pair_decayed_60d` first.

`pair_times_bought` counts baskets; `pair_last_bought_at` is in UTC epoch seconds; `pair_gap_mean_days` is the mean time between the
item's baskets, 0 when it was bought once; `pair_decayed_Nd` is the sum over baskets of exp(-age_days / N) at the row's time.
"""

PAIR_SIGNALS: tuple[str, ...] = (
    "signal_item_ids",
    "signal_views",
    "signal_last_viewed_at",
    "signal_carts",
    "signal_in_cart_at",
    "signal_rated_low",
)
"""One list per quantity of a user and an item they viewed, carted or rated, of equal length (at most PAIRS_MAX): what is in the cart first,
then the latest.

`signal_in_cart_at` is when the item was last put into the cart, 0 where it has been bought or taken out since; it and
`signal_last_viewed_at` (0 for never) are in UTC epoch seconds. `signal_rated_low` is 1 where the user's last rating counts against it.
"""

PAIR_LISTS: tuple[str, ...] = (*PAIR_BOUGHT, *PAIR_SIGNALS)

ITEM_SOLD: tuple[str, ...] = (
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
ITEM_SIGNALS: tuple[str, ...] = (
    "views_7d",
    "views_28d",
    "carts_28d",
    "view_to_cart_28d",
    "cart_to_purchase_28d",
    "category_view_to_cart_28d",
    "category_cart_to_purchase_28d",
)
ITEM_NUMERIC: tuple[str, ...] = (*ITEM_SOLD, *ITEM_SIGNALS)
"""float32, of how an item sells and of what else people do with it. `new_buyers_Nd` are buyers who had never bought the item before;
`share_of_category_28d` is the item's share of the purchases of its finest category; `trend` is log((purchases_7d + 1) / (purchases_28d / 4
+ 1)); `display_share` and `mailer_share` are the shares of shops that show or advertise the item in the row's week; `price_to_category` is
the price over the mean price of the item's finest category. Conversions lie in [0, 1]; an item's own is drawn towards its finest category's
while it has few views or carts."""

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
    "left_in_cart_score",
    "views",
    "days_since_viewed",
    "carts",
    "in_cart",
    "rated_low",
    "ease_score",
    "ease_with",
)
"""float32, one row a candidate: what the ranker knows of this user and this item, the scores of the sources that brought it included.

`due_ratio` is days_since_bought / gap_mean_days, 0 when the gap is unknown; `days_since_bought` and `days_since_viewed` are NEVER_DAYS for
items never bought or viewed; `in_cart` and `rated_low` are 0 or 1. Columns between `department_share` and `price_to_category_level`, and
those named `bought_with` and `ease_with`, are of `endcap.engine.ranking.pair_features`.
"""

PURCHASE_OBJECTIVES: tuple[str, ...] = ("buy", "buy_again")
OBJECTIVES: tuple[str, ...] = (*PURCHASE_OBJECTIVES, "cart", "view")
"""What a ranker may predict, of `HORIZON_DAYS`: a purchase, purchases in at least two baskets, that it is put into the cart, and a view.

A ranker is trained on those that its data reaches.
"""

HORIZON_DAYS = 28
