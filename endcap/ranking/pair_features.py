"""What the ranker knows of a user and a candidate: one function for training and serving, so that the two cannot differ."""

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.features.columns import ITEM_NUMERIC, PAIR_NUMERIC, USER_NUMERIC
from endcap.retrieval.candidates import TRAINED_SOURCES, CandidateSet
from endcap.retrieval.user_state import UserState

NEVER_BOUGHT_DAYS = 400.0
_PRICE_LEVEL = USER_NUMERIC.index("price_level")
_BASKETS_90D = USER_NUMERIC.index("baskets_90d")
_PRICE_TO_CATEGORY = ITEM_NUMERIC.index("price_to_category")


def pair_features(state: UserState, candidates: CandidateSet, items: ItemTable) -> NDArray[np.float32]:
    """The PAIR_NUMERIC columns of every candidate.

    Args:
        state: one user, p items of the past.
        candidates: m items.
        items: the catalogue.

    Returns:
        float32 [m, len(PAIR_NUMERIC)].
    """
    features = np.zeros((len(candidates), len(PAIR_NUMERIC)), dtype=np.float32)
    place, found = _places(state.pair_index, candidates.index)

    def of_past(values: NDArray[np.float32], otherwise: float = 0.0) -> NDArray[np.float32]:
        gathered = np.full(len(candidates), otherwise, dtype=np.float32)
        gathered[found] = values[place[found]]
        return gathered

    days_since = of_past(state.days_since_bought, NEVER_BOUGHT_DAYS)
    gap = of_past(state.gap_mean_days)
    baskets_90d = of_past(state.baskets_90d)
    columns = {
        "times_bought": of_past(state.times_bought),
        "baskets_28d": of_past(state.baskets_28d),
        "baskets_90d": baskets_90d,
        "days_since_bought": days_since,
        "gap_mean_days": gap,
        "due_ratio": np.divide(days_since, gap, out=np.zeros_like(gap), where=gap > 0),
        "decayed_20d": of_past(state.decayed_20d),
        "decayed_60d": of_past(state.decayed_60d),
        "basket_share_90d": baskets_90d / max(float(state.numeric[_BASKETS_90D]), 1.0),
        "category_share": state.leaf_share[items.leaf_code[candidates.index]],
        "brand_share": state.brand_share[items.brand_code[candidates.index]],
        "price_to_user_level": _price_to_user_level(state, candidates.index, items),
        "in_session": np.isin(candidates.index, state.session).astype(np.float32),
        **{f"{source}_score": candidates.score_of(source) for source in TRAINED_SOURCES},
    }
    for column, name in enumerate(PAIR_NUMERIC):
        features[:, column] = columns[name]
    return features


def _places(pair_index: NDArray[np.int32], candidate_index: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Where each candidate stands among the ascending `pair_index`, and whether it does."""
    if not len(pair_index):
        return np.zeros(len(candidate_index), dtype=np.int64), np.zeros(len(candidate_index), dtype=bool)
    place = np.minimum(np.searchsorted(pair_index, candidate_index), len(pair_index) - 1)
    return place, pair_index[place] == candidate_index


def _price_to_user_level(state: UserState, index: NDArray[np.int32], items: ItemTable) -> NDArray[np.float32]:
    level = float(state.numeric[_PRICE_LEVEL])
    relative = items.numeric[index, _PRICE_TO_CATEGORY]
    return relative / level if level > 0 else np.zeros(len(index), dtype=np.float32)
