"""What each purchase of a history counts when scores are summed over it."""

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.methods.interactions import Interactions


def recency_weights(histories: Interactions, decay_days: float) -> sparse.csr_matrix:
    """float32 [users, n + 1]: exp(-age / decay_days) of each user's newest purchase of each item, counted from the user's newest of all.

    From the user's own end, because a factor that all of a user's weights share changes no order, and very old histories would be zeros.
    """
    weight = np.exp(-(histories.age_days - newest_age_days(histories)[histories.user_row]) / np.float32(decay_days))
    return _largest(histories, weight.astype(np.float32))


def default_decay_days(interactions: Interactions) -> float:
    """Days, or steps where the data counts those, in which what somebody bought loses most of its say."""
    return 2.0 if counts_steps(interactions) else 60.0


def counts_steps(interactions: Interactions) -> bool:
    """Whether ages are steps of one day each: the data knows an order and no times."""
    within = interactions.user_row[1:] == interactions.user_row[:-1]
    return bool(within.any() and (np.diff(interactions.age_days)[within] == -1).all())


def newest_age_days(histories: Interactions) -> NDArray[np.float32]:
    """float32 [users]: age of each user's newest purchase, 0 for users without any."""
    newest = np.zeros(histories.users, dtype=np.float32)
    has = np.diff(histories.start) > 0
    newest[has] = histories.age_days[histories.start[1:][has] - 1]
    return newest


def _largest(histories: Interactions, weight: NDArray[np.float32]) -> sparse.csr_matrix:
    """The newest of a user's purchases of an item weighs most, and stands last."""
    width = histories.item_count + 1
    key = histories.user_row * width + histories.item_index
    _, from_end = np.unique(key[::-1], return_index=True)
    kept = len(key) - 1 - from_end
    entries = (weight[kept], (histories.user_row[kept], histories.item_index[kept]))
    return sparse.csr_matrix(entries, shape=(histories.users, width))
