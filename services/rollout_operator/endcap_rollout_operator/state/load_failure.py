"""A candidate whose model fails to load, as KServe says it: tried again for a moment, for a store may answer late, then rolled back."""

from datetime import datetime

from endcap.contracts.rollout import RolloutStatus
from endcap_rollout_operator.state.observed_state import Candidate
from endcap_rollout_operator.state.transition import changed, roll_back, seconds_since

FAILED_SECONDS_MAX = 60.0
RESTARTS_MAX = 2
"""Of the model container: what failed twice in the same way is not going to load."""


def with_load_failure(status: RolloutStatus, candidate: Candidate, now: datetime) -> RolloutStatus:
    """The status with the time of the failure; rolled back when it has lasted, or the model was tried often enough.

    While a pod of the candidate serves, one that fails beside it is a matter of that pod or its node, and of the deadline.
    """
    failure = candidate.load_failure
    if failure is None or candidate.is_ready:
        return changed(status, load_failed_since=None)
    status = changed(status, load_failed_since=status.load_failed_since or now)
    if failure.restarts >= RESTARTS_MAX or seconds_since(status.load_failed_since, now) > FAILED_SECONDS_MAX:
        return roll_back(status, "CandidateLoadFailed", failure.message, now)
    return status
