"""How much it tells that somebody has an item, or an item an attribute: the rarer, the more."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.algorithms.interactions import Interactions


def inverse_user_frequency(interactions: Interactions) -> NDArray[np.float32]:
    """float32 [n + 1]: log(1 + users / buyers), that of a single buyer for items that nobody bought (Breese et al., UAI 1998)."""
    return inverse_frequency(interactions.bought)


def inverse_frequency(has: sparse.csr_matrix) -> NDArray[np.float32]:
    """float32 [columns]: log(1 + rows / rows that have the column); `has` holds 1 where a row has it."""
    counts = np.maximum(np.asarray(has.sum(axis=0)).ravel(), 1.0)
    rarity: NDArray[np.float32] = np.log1p(has.shape[0] / counts).astype(np.float32)
    return rarity
