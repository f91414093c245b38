"""What a user's purchases in a candidate's category, brand and department say about an item that the user may never have bought."""

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.engine.retrieval.user_state import UserState
from endcap.features.columns import ITEM_NUMERIC

NEVER_DAYS = 400.0
_PRICE = ITEM_NUMERIC.index("price")
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
    price = items.numeric[past, _PRICE]
    priced = decayed * (price > 0)
    of_priced = np.bincount(mine, priced, codes).astype(np.float32)[leaf]
    level = np.bincount(mine, priced * price, codes).astype(np.float32)[leaf] / np.maximum(of_priced, _TINY)
    own_price = items.numeric[index, _PRICE]
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
    place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where(known[place] == asked, sums[place], np.float32(0))
