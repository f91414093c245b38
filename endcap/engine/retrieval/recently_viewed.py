"""Recently viewed: what the person looked at in this session and has not bought in it, newest first."""

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible, first_eligible
from endcap.engine.retrieval.ordering import distinct_in_order, scored_by_rank


def recently_viewed_candidates(viewed: NDArray[np.int32], bought: NDArray[np.int32], eligible: Eligible, quota: int) -> Candidates:
    """The session's items, each at its latest look.

    Args:
        viewed: int32 [s], items of the session, newest last; may repeat.
        bought: int32 [b], those bought in it.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    # What was bought goes first, so that a look at it is not the item's first place, and is cut off again.
    distinct = distinct_in_order(np.concatenate([bought, viewed[::-1]]))[len(distinct_in_order(bought)) :]
    return first_eligible(scored_by_rank(distinct), eligible, quota)
