"""Buy-again: what the user buys regularly and is about to run out of, most likely first."""

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible
from endcap.engine.retrieval.user_state import UserState

PRIOR_WAITS = 3.0
"""The item's gap over all users weighs as much as so many waits of the user's own."""

JUST_BOUGHT_DIP = 0.3
"""Share of the score that is gone on the day of a purchase."""

DUE_AFTER = 0.5
"""The dip fades with this share of the gap."""

REGULAR_WEIGHT = 3.0
"""How much more an item counts that the user bought again and again than one bought once: a count with decay cannot tell them apart."""

UNREPEATED_SCORE = 0.1
"""Factor of items that hardly anybody ever bought twice."""


def buy_again_candidates(repurchase_gap_days: NDArray[np.float32], state: UserState, eligible: Eligible, quota: int) -> Candidates:
    """Items bought before by their count with 60-day decay, the strongest simple predictor of repeat purchase, times how due they are.

    Items that the user rated low since are left out.

    Args:
        repurchase_gap_days: float32 [n + 1], each item's usual time between two purchases of one user; 0 when unknown.
        state: the user.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    if not len(state.pair_index):
        return Candidates.none()
    kept = eligible(state.pair_index) & ~state.signals.are_rated_low(state.pair_index)
    score = state.decayed_60d * dueness(state, repurchase_gap_days[state.pair_index])
    return Candidates.best(state.pair_index[kept], score[kept], quota)


def dueness(state: UserState, item_gap_days: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [p] in (0, 1]: higher the more regularly the user buys an item, and the more of the usual time between two has passed.

    The usual time is the mean of the user's own waits, drawn towards the item's over all users while there are few of them. A purchase
    that is overdue is not marked down further: the decay of the count does that. The constants were chosen on the ranking windows of
    Complete Journey.

    Args:
        state: the user, p items of the past.
        item_gap_days: float32 [p], over all users, 0 when unknown.
    """
    waits = np.where(state.gap_mean_days > 0, np.maximum(state.times_bought - 1, 0), np.float32(0))
    prior = np.where(item_gap_days > 0, np.float32(PRIOR_WAITS), np.float32(0))
    weight = waits + prior
    gap_days = (waits * state.gap_mean_days + prior * item_gap_days) / np.maximum(weight, np.float32(1))
    passed = state.days_since_bought / np.maximum(gap_days, np.float32(1))
    due = 1 - np.float32(JUST_BOUGHT_DIP) * np.exp(-passed / np.float32(DUE_AFTER))
    regular = (1 + np.float32(REGULAR_WEIGHT) * waits / (waits + 1)) / np.float32(1 + REGULAR_WEIGHT)
    return np.where(weight > 0, due * regular, np.float32(UNREPEATED_SCORE)).astype(np.float32, copy=False)
