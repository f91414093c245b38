"""What the ranker knows of a user and a candidate: one function for training and serving, so that the two cannot differ."""

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.engine.ranking.bought_with import bought_with
from endcap.engine.ranking.category_habits import category_habits
from endcap.engine.retrieval.candidates import TRAINED_SOURCES, CandidateSet
from endcap.engine.retrieval.item_to_item import ItemToItem
from endcap.engine.retrieval.user_state import UserState
from endcap.features.columns import ITEM_NUMERIC, PAIR_NUMERIC, USER_NUMERIC

NEVER_BOUGHT_DAYS = 400.0
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
_IN_SESSION = PAIR_NUMERIC.index("in_session")
_SOURCE_COLUMNS = tuple((source, PAIR_NUMERIC.index(f"{source}_score")) for source in TRAINED_SOURCES)


def pair_features(state: UserState, candidates: CandidateSet, items: ItemTable, neighbours: ItemToItem) -> NDArray[np.float32]:
    """The PAIR_NUMERIC columns of every candidate.

    Args:
        state: one user, p items of the past.
        candidates: m items.
        items: the catalogue.
        neighbours: the item-to-item table, of the same moment as the items.

    Returns:
        float32 [m, len(PAIR_NUMERIC)].
    """
    index = candidates.index
    columns = np.zeros((len(PAIR_NUMERIC), len(candidates)), dtype=np.float32)
    columns[_DAYS_SINCE] = NEVER_BOUGHT_DAYS
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
    columns[_BOUGHT_WITH, :] = bought_with(state, index, neighbours)
    if len(state.session):
        columns[_IN_SESSION] = np.isin(index, state.session)
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


def _price_to_user_level(state: UserState, index: NDArray[np.int32], items: ItemTable) -> NDArray[np.float32]:
    level = float(state.numeric[_PRICE_LEVEL])
    relative = items.numeric[index, _PRICE_TO_CATEGORY]
    return relative / level if level > 0 else np.zeros(len(index), dtype=np.float32)
