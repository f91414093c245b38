"""What a purchase, an item or an attribute counts: the newer and the rarer, the more."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.algorithms.interactions import Interactions

DECAY_SHARE = 0.4
"""Chosen on validation data with and without purchases that come again (docs/decisions/0014-algorithms.md)."""


def recency_weights(histories: Interactions, decay_days: float) -> sparse.csr_matrix:
    """float32 [users, n + 1]: the largest exp(-age / decay_days) of a user's interactions with an item, times what the interaction counts.

    Ages count from the user's newest of all.

    From the user's own end, because a factor that all of a user's weights share changes no order, and very old histories would be zeros.
    """
    weight = np.exp(-(histories.age_days - newest_age_days(histories)[histories.user_row]) / np.float32(decay_days))
    weight = weight.astype(np.float32)
    return histories.strongest(weight if histories.weight is None else weight * histories.weight)


def default_decay_days(interactions: Interactions) -> float:
    """DECAY_SHARE of the mean time between a user's first and last purchase; steps where times are unknown.

    Long histories want a slow decay and short ones a fast one: two to three purchases where people have seven, a quarter of a year where
    they have bought for most of one.
    """
    several = np.diff(interactions.start) > 1
    if not several.any():
        return 1.0
    first, last = interactions.start[:-1][several], interactions.start[1:][several] - 1
    span = float((interactions.age_days[first] - interactions.age_days[last]).mean(dtype=np.float64))
    return DECAY_SHARE * span if span > 0 else 1.0


def newest_age_days(histories: Interactions) -> NDArray[np.float32]:
    """float32 [users]: age of each user's newest purchase, 0 for users without any."""
    newest = np.zeros(histories.users, dtype=np.float32)
    has = np.diff(histories.start) > 0
    newest[has] = histories.age_days[histories.start[1:][has] - 1]
    return newest


def inverse_user_frequency(interactions: Interactions) -> NDArray[np.float32]:
    """float32 [n + 1]: log(1 + users / buyers), that of a single buyer for items that nobody bought (Breese et al., UAI 1998)."""
    return inverse_frequency(interactions.bought)


def inverse_frequency(has: sparse.csr_matrix) -> NDArray[np.float32]:
    """float32 [columns]: log(1 + rows / rows that have the column); `has` holds 1 where a row has it."""
    counts = np.maximum(np.asarray(has.sum(axis=0)).ravel(), 1.0)
    rarity: NDArray[np.float32] = np.log1p(has.shape[0] / counts).astype(np.float32)
    return rarity
