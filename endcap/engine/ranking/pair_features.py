"""What the ranker knows of a user and a candidate: one function for training and serving, so that the two cannot differ."""

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.engine.retrieval.candidates import TRAINED_SOURCES, CandidateSet
from endcap.engine.retrieval.ease import damped, ease_seeds
from endcap.engine.retrieval.item_to_item import ItemToItem, Neighbours, past_seeds
from endcap.engine.retrieval.signal_state import SignalState
from endcap.engine.retrieval.sorted_places import places_in
from endcap.engine.retrieval.user_state import UserState
from endcap.features.columns import ITEM_NUMERIC, NEVER_DAYS, PAIR_NUMERIC, USER_NUMERIC

_CATEGORY_PRICE = ITEM_NUMERIC.index("price")
_TINY = np.float32(1e-6)


def category_habits(state: UserState, index: NDArray[np.int32], items: ItemTable) -> dict[str, NDArray[np.float32]]:
    """Sums over the user's past items that share a level of the category path, or the brand, with each candidate.

    Args:
        state: one user, p items of the past.
        index: int32 [m], candidates.
        items: the catalogue.

    Returns:
        By name of PAIR_NUMERIC, float32 [m]: `department_share` and `group_share`, the shares of the user's decayed purchases at the
        path's first and second level; of the finest category its decayed purchases, distinct items, items first bought in the last 28
        days, days since its last purchase (400 for none), the share of its purchases that are of the candidate's brand, and the
        candidate's price over the mean price the user buys there (0 when either is unknown).
    """
    past = state.pair_index
    leaf, mine = items.leaf_code[index], items.leaf_code[past]
    codes, decayed = len(items.categories), state.decayed_60d
    total = np.float32(max(float(decayed.sum()), 1e-6))
    by_leaf = np.bincount(mine, decayed, codes).astype(np.float32)[leaf]
    days = np.full(codes, NEVER_DAYS, dtype=np.float32)
    np.minimum.at(days, mine, state.days_since_bought)
    tried = (state.times_bought <= state.baskets_28d).astype(np.float32)
    price = items.numeric[past, _CATEGORY_PRICE]
    priced = decayed * (price > 0)
    of_priced = np.bincount(mine, priced, codes).astype(np.float32)[leaf]
    level = np.bincount(mine, priced * price, codes).astype(np.float32)[leaf] / np.maximum(of_priced, _TINY)
    own_price = items.numeric[index, _CATEGORY_PRICE]
    known = (own_price > 0) & (of_priced > _TINY)
    return {
        "department_share": _by_code(items.category_codes[:, 0], past, index, decayed, codes) / total,
        "group_share": _by_code(items.category_codes[:, 1], past, index, decayed, codes) / total,
        "category_decayed_60d": by_leaf,
        "category_items": np.bincount(mine, minlength=codes).astype(np.float32)[leaf],
        "category_tried_28d": np.bincount(mine, tried, codes).astype(np.float32)[leaf],
        "category_days_since": days[leaf],
        "brand_in_category_share": _of_brand(items, past, index, decayed) / np.maximum(by_leaf, _TINY),
        "price_to_category_level": np.where(known, own_price / np.maximum(level, _TINY), 0.0).astype(np.float32),
    }


def _by_code(
    code: NDArray[np.int32], past: NDArray[np.int32], index: NDArray[np.int32], weight: NDArray[np.float32], codes: int
) -> NDArray[np.float32]:
    sums: NDArray[np.float32] = np.bincount(code[past], weight, codes).astype(np.float32)[code[index]]
    return sums


def _of_brand(items: ItemTable, past: NDArray[np.int32], index: NDArray[np.int32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weight of the past items with the candidate's category and brand."""
    if not len(past):
        return np.zeros(len(index), dtype=np.float32)
    width = np.int64(len(items.brands))
    mine = items.leaf_code[past] * width + items.brand_code[past]
    asked = items.leaf_code[index] * width + items.brand_code[index]
    known, group = np.unique(mine, return_inverse=True)
    sums = np.bincount(group, weight).astype(np.float32)
    place, found = places_in(known, asked)
    return np.where(found, sums[place], np.float32(0))


LATE_DAYS = 60.0
"""For `bought_with_of_late` a purchase counts exp(-age_days / LATE_DAYS)."""


def bought_with(state: UserState, index: NDArray[np.int32], neighbours: ItemToItem) -> NDArray[np.float32]:
    """Sums of the weights that the user's items have for each candidate: all alike, and the latest most.

    Work grows with the user's items and their neighbours, not with the catalogue.

    Args:
        state: one user, p items of the past.
        index: int32 [m], distinct candidates.
        neighbours: the item-to-item table.

    Returns:
        float32 [2, m].
    """
    m, places = len(index), past_seeds(state)
    at, weight, row = _met(state.pair_index[places], index, neighbours)
    late = np.exp(-state.days_since_bought[places] / np.float32(LATE_DAYS))[row]
    sums = np.stack([np.bincount(at, weight, m + 1)[1:], np.bincount(at, weight * late, m + 1)[1:]])
    return sums.astype(np.float32)


def ease_with(state: UserState, index: NDArray[np.int32], table: ItemToItem) -> NDArray[np.float32]:
    """What EASE says of each candidate, whatever source brought it: the root of what the weights of the user's items add up to.

    Args:
        state: one user.
        index: int32 [m], distinct candidates.
        table: EASE's weights, with columns.

    Returns:
        float32 [m].
    """
    at, weight, _ = _met(ease_seeds(state), index, table)
    return damped(np.bincount(at, weight, len(index) + 1)[1:].astype(np.float32))


def _met(
    seeds: NDArray[np.int32], index: NDArray[np.int32], table: ItemToItem
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.intp]]:
    """Where neighbours of the seeds are candidates, [h] each: the candidate's place from 1, the weight, and the seed's place."""
    place = np.zeros(len(table.index), dtype=np.int32)
    place[index] = np.arange(1, len(index) + 1, dtype=np.int32)
    place[0] = 0
    at = place.take(table.index.take(seeds, axis=0).ravel())
    hit = np.flatnonzero(at)
    return at[hit], table.weight.take(seeds, axis=0).ravel()[hit].astype(np.float32), hit // max(table.index.shape[1], 1)


_PRICE_LEVEL = USER_NUMERIC.index("price_level")
_BASKETS_90D = USER_NUMERIC.index("baskets_90d")
_PRICE_TO_CATEGORY = ITEM_NUMERIC.index("price_to_category")
_PAST = ("times_bought", "baskets_28d", "baskets_90d", "days_since_bought", "gap_mean_days", "decayed_20d", "decayed_60d")
_OF_PAST = tuple(PAIR_NUMERIC.index(name) for name in _PAST)
_PAIR_BASKETS_90D = PAIR_NUMERIC.index("baskets_90d")
_DAYS_SINCE = PAIR_NUMERIC.index("days_since_bought")
_GAP = PAIR_NUMERIC.index("gap_mean_days")
_DUE_RATIO = PAIR_NUMERIC.index("due_ratio")
_BASKET_SHARE = PAIR_NUMERIC.index("basket_share_90d")
_CATEGORY_SHARE = PAIR_NUMERIC.index("category_share")
_BRAND_SHARE = PAIR_NUMERIC.index("brand_share")
_PRICE = PAIR_NUMERIC.index("price_to_user_level")
_BOUGHT_WITH = (PAIR_NUMERIC.index("bought_with"), PAIR_NUMERIC.index("bought_with_of_late"))
_EASE_WITH = PAIR_NUMERIC.index("ease_with")
_IN_SESSION = PAIR_NUMERIC.index("in_session")
_DAYS_SINCE_VIEWED = PAIR_NUMERIC.index("days_since_viewed")
_OF_SIGNALS = tuple(PAIR_NUMERIC.index(name) for name in ("views", "days_since_viewed", "carts", "in_cart", "rated_low"))
_SOURCE_COLUMNS = tuple((source, PAIR_NUMERIC.index(f"{source}_score")) for source in TRAINED_SOURCES)


def pair_features(state: UserState, candidates: CandidateSet, items: ItemTable, neighbours: Neighbours) -> NDArray[np.float32]:
    """The PAIR_NUMERIC columns of every candidate.

    Args:
        state: one user, p items of the past.
        candidates: m items.
        items: the catalogue.
        neighbours: the tables of neighbours, of the same moment as the items.

    Returns:
        float32 [m, len(PAIR_NUMERIC)].
    """
    index = candidates.index
    columns = np.zeros((len(PAIR_NUMERIC), len(candidates)), dtype=np.float32)
    columns[_DAYS_SINCE] = NEVER_DAYS
    place, found = state.past_places(index)
    rows = np.flatnonzero(found)
    for column, values in zip(_OF_PAST, _past(state), strict=True):
        columns[column, rows] = values[place[rows]]
    gap, baskets_90d = columns[_GAP], columns[_PAIR_BASKETS_90D]
    np.divide(columns[_DAYS_SINCE], gap, out=columns[_DUE_RATIO], where=gap > 0)
    columns[_BASKET_SHARE] = baskets_90d / np.float32(max(float(state.numeric[_BASKETS_90D]), 1.0))
    columns[_CATEGORY_SHARE] = state.leaf_share[items.leaf_code[index]]
    columns[_BRAND_SHARE] = state.brand_share[items.brand_code[index]]
    columns[_PRICE] = _price_to_user_level(state, index, items)
    for name, habit in category_habits(state, index, items).items():
        columns[PAIR_NUMERIC.index(name)] = habit
    columns[_BOUGHT_WITH, :] = bought_with(state, index, neighbours.item_to_item)
    if not neighbours.ease.is_empty:
        columns[_EASE_WITH] = ease_with(state, index, neighbours.ease)
    if len(state.session):
        columns[_IN_SESSION] = np.isin(index, state.session)
    columns[_DAYS_SINCE_VIEWED] = NEVER_DAYS
    if len(state.signals.index):
        place, found = state.signals.places(index)
        rows = np.flatnonzero(found)
        for column, known in zip(_OF_SIGNALS, _signals(state.signals), strict=True):
            columns[column, rows] = known[place[rows]]
    for source, column in _SOURCE_COLUMNS:
        columns[column] = candidates.score_of(source)
    return np.ascontiguousarray(columns.T)


def _past(state: UserState) -> tuple[NDArray[np.float32], ...]:
    """What is known of every item of the past, float32 [p] each, in the order of _PAST."""
    return (
        state.times_bought,
        state.baskets_28d,
        state.baskets_90d,
        state.days_since_bought,
        state.gap_mean_days,
        state.decayed_20d,
        state.decayed_60d,
    )


def _signals(signals: SignalState) -> tuple[NDArray[np.float32] | NDArray[np.bool_], ...]:
    """What is known of every item that was looked at, carted or rated, [s] each, in the order of _OF_SIGNALS."""
    return signals.views, signals.days_since_viewed, signals.carts, signals.in_cart, signals.rated_low


def _price_to_user_level(state: UserState, index: NDArray[np.int32], items: ItemTable) -> NDArray[np.float32]:
    level = float(state.numeric[_PRICE_LEVEL])
    relative = items.numeric[index, _PRICE_TO_CATEGORY]
    return relative / level if level > 0 else np.zeros(len(index), dtype=np.float32)
