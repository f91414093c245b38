"""Complements: what goes into the same basket more often than chance would have it, so that staples do not stand beside everything."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible
from endcap.engine.retrieval.neighbour_sums import summed_neighbours, without


@dataclass(frozen=True)
class Complements:
    """What goes with every item: int32 `index` and float16 `weight`, both [n + 1, neighbours], padded with index 0, weight 0."""

    index: NDArray[np.int32]
    weight: NDArray[np.float16]


def complements_candidates(table: Complements, cart: NDArray[np.int32], eligible: Eligible, quota: int) -> Candidates:
    """What goes with the items of a cart or a product page, those that go with several of them first.

    Args:
        table: complements of every item.
        cart: int32 [r], the items; they are not given back.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    index, score = summed_neighbours(table.index, table.weight, cart, np.ones(len(cart), dtype=np.float32))
    kept = without(index, cart)
    index, score = index[kept], score[kept]
    kept = eligible(index)
    return Candidates.best(index[kept], score[kept], quota)
