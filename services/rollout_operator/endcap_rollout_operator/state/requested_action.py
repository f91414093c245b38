"""The action a person requests by the annotation `endcap.dev/action`, and what comes of it.

A request may be seen twice, when the operator dies between acting and taking it off; the second time it finds itself done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from endcap.contracts.rollout import Action, Phase, RolloutStatus
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.state.effects import Effect, RecordEvent
from endcap_rollout_operator.state.manual_edits import adopted, is_superseded
from endcap_rollout_operator.state.observed_state import Absent, ObservedState, Target
from endcap_rollout_operator.state.transition import EDITED, changed, enter, pause, roll_back, unpause


@dataclass(frozen=True)
class ActionResult:
    """Attributes:
    is_final: nothing else is decided before the annotation is off, so that the same action is not taken for a second request.
    """

    status: RolloutStatus
    effects: tuple[Effect, ...] = ()
    is_final: bool = True


def apply_action(rollout: Rollout, observed: ObservedState, now: datetime) -> ActionResult:
    """What comes of the annotation as it stands."""
    if rollout.action is None:
        return _ignored(rollout, f"{rollout.requested_action!r} is no action; use one of {', '.join(Action)}", "ActionUnknown")
    return _BY_ACTION[rollout.action](rollout, observed, now)


def _paused(rollout: Rollout, _observed: ObservedState, now: datetime) -> ActionResult:
    if rollout.status.phase in (Phase.INITIALIZING, Phase.PROGRESSING):
        return ActionResult(pause(rollout.status, "Requested", "paused by a person", now))
    return _ignored(rollout, f"a rollout that is {rollout.status.phase} cannot be paused")


def _resumed(rollout: Rollout, observed: ObservedState, now: datetime) -> ActionResult:
    status, target = rollout.status, observed.target
    if status.phase != Phase.PAUSED:
        return _ignored(rollout, f"a rollout that is {status.phase} cannot be resumed")
    if status.reason != EDITED:
        return ActionResult(unpause(rollout.spec, changed(status, step_released=status.reason == "Step" or status.step_released), now))
    if isinstance(target, Absent):
        return _ignored(rollout, f"nothing to take over: {target.message}")
    if target.weight is None:
        return _ignored(rollout, "the weights of the HTTPRoute cannot be read; correct its rule `traffic` first")
    if is_superseded(rollout.spec, status, target):
        return ActionResult(_superseded(rollout, target, now))
    return ActionResult(unpause(rollout.spec, adopted(status, target), now))


def _superseded(rollout: Rollout, target: Target, now: datetime) -> RolloutStatus:
    """A person gave the target another bundle: in Standard mode it gets the traffic back from the candidate, in Knative mode it has it."""
    message = f"{rollout.spec.target} was given {target.served.storage_uri} by hand"
    if rollout.status.mode == "Standard":
        return roll_back(changed(rollout.status, stable=target.served), "Superseded", message, now)
    return enter(rollout.status, Phase.FAILED, "Superseded", message, now, completed_at=now, paused_at=None)


def _aborted(rollout: Rollout, _observed: ObservedState, now: datetime) -> ActionResult:
    status = rollout.status
    if status.phase in (None, Phase.WAITING):
        return ActionResult(enter(status, Phase.FAILED, "Aborted", "aborted by a person before it began", now, completed_at=now))
    if status.phase == Phase.ROLLING_BACK or status.completed_at is not None:
        return _ignored(rollout, f"it is too late to abort: {status.message}", is_final=False)
    return ActionResult(roll_back(status, "Aborted", "aborted by a person", now), is_final=False)


def _promoted(rollout: Rollout, _observed: ObservedState, now: datetime) -> ActionResult:
    spec, status = rollout.spec, rollout.status
    if status.phase == Phase.INITIALIZING:
        return ActionResult(changed(status, promote_requested=True))
    may = status.phase in (Phase.PROGRESSING, Phase.PAUSED) and status.reason != EDITED and status.current_step_index is not None
    if not may or (status.promote_requested and status.phase == Phase.PROGRESSING):
        return _ignored(rollout, f"a rollout that is {status.phase} ({status.reason}) cannot be promoted")
    status = changed(status, promote_requested=True)
    return ActionResult(unpause(spec, status, now) if status.phase == Phase.PAUSED else status)


def _ignored(rollout: Rollout, message: str, reason: str = "ActionIgnored", is_final: bool = True) -> ActionResult:
    return ActionResult(rollout.status, (RecordEvent(reason, message),), is_final)


_BY_ACTION: dict[Action, Callable[[Rollout, ObservedState, datetime], ActionResult]] = {
    Action.PAUSE: _paused,
    Action.RESUME: _resumed,
    Action.ABORT: _aborted,
    Action.PROMOTE: _promoted,
}
