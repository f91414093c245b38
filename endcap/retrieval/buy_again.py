"""Buy-again: what the user buys regularly, most likely first."""

from endcap.retrieval.candidates import Candidates
from endcap.retrieval.user_state import UserState


def buy_again_candidates(state: UserState, quota: int) -> Candidates:
    """Items bought before by their count with 60-day decay, the strongest simple predictor of repeat purchase."""
    return Candidates.best(state.pair_index, state.decayed_60d, quota)
