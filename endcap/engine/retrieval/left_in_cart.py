"""Left in the cart: what the user put into the cart and has neither bought nor taken out since, latest first."""

import numpy as np

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible
from endcap.engine.retrieval.user_state import UserState

CART_DAYS = 14.0
"""An item that was put into the cart `a` days ago scores exp(-a / CART_DAYS)."""


def left_in_cart_candidates(state: UserState, eligible: Eligible, quota: int) -> Candidates:
    """Items in the user's cart as of the state's moment; those that the user rated low are left out.

    Args:
        state: the user; the events of the present visit override what the features say.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    signals = state.signals
    rows = np.flatnonzero(signals.in_cart & ~signals.rated_low)
    if not len(rows):
        return Candidates.none()
    index, age_days = signals.index[rows], signals.cart_age_days[rows]
    kept = eligible(index)
    return Candidates.best(index[kept], np.exp(-np.maximum(age_days[kept], 0) / np.float32(CART_DAYS)), quota)
