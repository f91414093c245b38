"""Paused: nothing moves until somebody resumes. Guardrails are still watched, unless a person took things into their own hands."""

from datetime import datetime

from endcap.contracts.rollout import RolloutStatus
from endcap.rollout.edits import confirmed, noticed_edit
from endcap.rollout.effects import Effect
from endcap.rollout.progressing import with_weight
from endcap.rollout.resource import Rollout
from endcap.rollout.returning import traffic_back
from endcap.rollout.transition import EDITED, changed, pause
from endcap.rollout.watching import with_dangers
from endcap.rollout.world import Absent, World


def decide_paused(rollout: Rollout, world: World, now: datetime) -> tuple[RolloutStatus, list[Effect]]:
    spec, status, target = rollout.spec, rollout.status, world.target
    if status.reason == EDITED:
        return status, []
    if not isinstance(target, Absent) and status.stable is not None:
        status = confirmed(spec, status, target)
        edit = noticed_edit(spec, status, target)
        if edit is not None:
            return pause(status, EDITED, edit, now), []
    if status.current_step_index is None:
        return status, []
    status, is_over = with_dangers(spec, status, target, now)
    if isinstance(target, Absent):
        return status, []
    if is_over:
        return status, traffic_back(status, target)
    weighted, effects = with_weight(status, target, now)
    if weighted.step_started_at != status.step_started_at:  # its clock starts here, and stands still from here
        weighted = changed(weighted, paused_at=now)
    return weighted, effects
