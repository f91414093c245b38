"""Item-to-item by cosine of co-purchase with shrinkage (Sarwar et al., WWW 2001; Koren and Bell, Recommender Systems Handbook)."""

import numpy as np
from numpy.typing import NDArray

from endcap.methods.co_occurrence import nearest_by
from endcap.retrieval.item_to_item import ItemToItem


def build_item_to_item(
    user_row: NDArray[np.int64],
    item_index: NDArray[np.int32],
    item_count: int,
    *,
    neighbours: int = 50,
    shrinkage: float = 10.0,
    block_rows: int = 4096,
) -> ItemToItem:
    """Count co-purchases and keep every item's nearest.

    Args:
        user_row: int64 [p], a user's number for each purchase.
        item_index: int32 [p], the item; both may repeat, a pair counts once.
        item_count: items in the catalogue.
        neighbours: kept for each item.
        shrinkage: added to the denominator; damps neighbours that few people share.
        block_rows: items handled at once; bounds memory.

    Returns:
        Weights in [0, 1): co-buyers / (sqrt(buyers x buyers) + shrinkage).
    """

    def cosine(together: NDArray[np.float32], of_one: float, of_other: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(together / (np.sqrt(of_one * of_other) + shrinkage), dtype=np.float32)

    return ItemToItem(*nearest_by(user_row, item_index, item_count, cosine, neighbours=neighbours, block_rows=block_rows))
