"""Recently viewed: what the person looked at in this session and has not bought in it, newest first."""

import numpy as np
from numpy.typing import NDArray

from endcap.retrieval.candidates import Candidates
from endcap.retrieval.eligible import Eligible, first_eligible
from endcap.retrieval.ordering import scored_by_rank


def recently_viewed_candidates(viewed: NDArray[np.int32], bought: NDArray[np.int32], eligible: Eligible, quota: int) -> Candidates:
    """The session's items, each at its latest look.

    Args:
        viewed: int32 [s], items of the session, newest last; may repeat.
        bought: int32 [b], those bought in it.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    newest_first = viewed[::-1]
    _, first = np.unique(newest_first, return_index=True)
    distinct = newest_first[np.sort(first)]
    return first_eligible(scored_by_rank(distinct[~np.isin(distinct, bought)]), eligible, quota)
