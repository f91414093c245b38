"""Buy-again: what the user buys regularly and is about to run out of, most likely first."""

import numpy as np
from numpy.typing import NDArray

from endcap.retrieval.candidates import Candidates
from endcap.retrieval.eligible import Eligible
from endcap.retrieval.ordering import best_first
from endcap.retrieval.user_state import UserState

GAP_PRIOR_REPEATS = 2.0
"""The item's gap over all users weighs as much as so many of the user's own."""

DUE_FLOOR = 0.5
"""Share of the score that an item keeps on the day it was bought."""


def buy_again_candidates(repurchase_gap_days: NDArray[np.float32], state: UserState, eligible: Eligible, quota: int) -> Candidates:
    """Items bought before by their count with 60-day decay, the strongest simple predictor of repeat purchase, times how due they are.

    Args:
        repurchase_gap_days: float32 [n + 1], each item's usual time between two purchases of one user; 0 when unknown.
        state: the user.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    kept = eligible(state.pair_index)
    score = state.decayed_60d * dueness(state, repurchase_gap_days[state.pair_index])
    return best_first(state.pair_index[kept], score[kept], quota)


def dueness(state: UserState, item_gap_days: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [p] in [DUE_FLOOR, 1]: low just after a purchase, near 1 once the usual time between two has passed.

    Args:
        state: the user, p items of the past.
        item_gap_days: float32 [p], over all users, 0 when unknown.
    """
    own_repeats = np.where(state.gap_mean_days > 0, np.maximum(state.times_bought - 1, 0), 0)
    prior_repeats = np.where(item_gap_days > 0, np.float32(GAP_PRIOR_REPEATS), 0)
    weight = own_repeats + prior_repeats
    gap_days = (own_repeats * state.gap_mean_days + prior_repeats * item_gap_days) / np.maximum(weight, 1e-6)
    passed = np.where(weight > 0, state.days_since_bought / np.maximum(gap_days, 1.0), np.inf)
    due: NDArray[np.float32] = (1 - (1 - DUE_FLOOR) * np.exp(-passed)).astype(np.float32)
    return due
