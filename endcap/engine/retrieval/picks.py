"""Editor's picks: items that somebody chose, in the order they were given."""

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible, first_eligible
from endcap.engine.retrieval.ordering import scored_by_rank


def picks_candidates(picked: NDArray[np.int32], eligible: Eligible, quota: int) -> Candidates:
    """The picked items that may be shown, scored by their place.

    Args:
        picked: int32 [m], distinct items, the first pick first; 0 stands for an id that the catalogue does not know.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    return first_eligible(scored_by_rank(picked[picked > 0]), eligible, quota)
