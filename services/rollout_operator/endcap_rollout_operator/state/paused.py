"""Paused: nothing moves until somebody resumes. Guardrails are still watched, unless a manual edit paused it."""

from datetime import datetime

from endcap.contracts.rollout import RolloutStatus
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.state.abort_conditions import check_abort_conditions
from endcap_rollout_operator.state.effects import Effect
from endcap_rollout_operator.state.manual_edits import confirmed, noticed_edit
from endcap_rollout_operator.state.observed_state import Absent, ObservedState
from endcap_rollout_operator.state.progressing import with_weight
from endcap_rollout_operator.state.rolling_back import traffic_back
from endcap_rollout_operator.state.transition import EDITED, changed, pause


def decide_paused(rollout: Rollout, observed: ObservedState, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    spec, status, target = rollout.spec, rollout.status, observed.target
    if status.reason == EDITED:
        return status, []
    if not isinstance(target, Absent) and status.stable is not None:
        status = confirmed(spec, status, target)
        edit = noticed_edit(spec, status, target)
        if edit is not None:
            return pause(status, EDITED, edit, now), []
    if status.current_step_index is None:
        return status, []
    status, is_over = check_abort_conditions(spec, status, target, now)
    if isinstance(target, Absent):
        return status, []
    if is_over:
        return status, traffic_back(status, target)
    weighted, effects = with_weight(status, target, now)
    if weighted.step_started_at != status.step_started_at:  # its clock starts here, and stands still from here
        weighted = changed(weighted, paused_at=now)
    return weighted, effects
