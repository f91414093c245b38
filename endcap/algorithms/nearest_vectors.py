"""The exact nearest by cosine of every item, by blocks."""

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.mean_of_history import unit_length
from endcap.algorithms.table_of_scores import CELLS_A_BLOCK, fill_rows
from endcap.engine.retrieval.item_to_item import ItemToItem


def nearest_by_cosine(vectors: NDArray[np.float32], count: int) -> ItemToItem:
    """The `count` others with the highest cosine above 0; items of zeros have and are no neighbours.

    Args:
        vectors: float32 [n + 1, d], row 0 zeros.
        count: neighbours of each item.
    """
    unit = unit_length(vectors)
    index = np.zeros((len(unit), count), dtype=np.int32)
    weight = np.zeros((len(unit), count), dtype=np.float16)
    rows_at_once = max(1, CELLS_A_BLOCK // max(len(unit), 1))
    for start in range(1, len(unit), rows_at_once):
        rows = np.arange(start, min(start + rows_at_once, len(unit)))
        fill_rows(index, weight, rows, unit[rows] @ unit.T)
    return ItemToItem(index, weight)
