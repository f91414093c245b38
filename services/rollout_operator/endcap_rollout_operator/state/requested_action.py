"""What a person asks for by the annotation `endcap.dev/action`, and what comes of it.

A wish may be seen twice, when the operator dies between acting and taking it off; the second time it finds itself done.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from endcap.contracts.rollout import Action, Phase, RolloutStatus
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.state.edits import adopted, is_superseded
from endcap_rollout_operator.state.effects import Effect, Tell
from endcap_rollout_operator.state.transition import EDITED, changed, enter, pause, roll_back, unpause
from endcap_rollout_operator.state.world import Absent, Target, World


@dataclass(frozen=True)
class Answer:
    """Attributes:
    is_all: nothing else is decided before the annotation is off, so that the same word is not taken for a second wish.
    """

    status: RolloutStatus
    effects: tuple[Effect, ...] = ()
    is_all: bool = True


def answered(rollout: Rollout, world: World, now: datetime) -> Answer:
    """What comes of the wish as it stands."""
    if rollout.action is None:
        return _ignored(rollout, f"{rollout.wish!r} is no action; use one of {', '.join(Action)}", "ActionUnknown")
    return _ANSWERS[rollout.action](rollout, world, now)


def _paused(rollout: Rollout, _world: World, now: datetime) -> Answer:
    if rollout.status.phase in (Phase.INITIALIZING, Phase.PROGRESSING):
        return Answer(pause(rollout.status, "Requested", "paused by a person", now))
    return _ignored(rollout, f"a rollout that is {rollout.status.phase} cannot be paused")


def _resumed(rollout: Rollout, world: World, now: datetime) -> Answer:
    status, target = rollout.status, world.target
    if status.phase != Phase.PAUSED:
        return _ignored(rollout, f"a rollout that is {status.phase} cannot be resumed")
    if status.reason != EDITED:
        return Answer(unpause(rollout.spec, changed(status, step_released=status.reason == "Step" or status.step_released), now))
    if isinstance(target, Absent):
        return _ignored(rollout, f"nothing to take over: {target.message}")
    if target.weight is None:
        return _ignored(rollout, "the weights of the HTTPRoute cannot be read; correct its rule `traffic` first")
    if is_superseded(rollout.spec, status, target):
        return Answer(_superseded(rollout, target, now))
    return Answer(unpause(rollout.spec, adopted(status, target), now))


def _superseded(rollout: Rollout, target: Target, now: datetime) -> RolloutStatus:
    """A person gave the target another bundle: in Standard mode it gets the traffic back from the candidate, in Knative mode it has it."""
    message = f"{rollout.spec.target} was given {target.served.storage_uri} by hand"
    if rollout.status.mode == "Standard":
        return roll_back(changed(rollout.status, stable=target.served), "Superseded", message, now)
    return enter(rollout.status, Phase.FAILED, "Superseded", message, now, completed_at=now, paused_at=None)


def _aborted(rollout: Rollout, _world: World, now: datetime) -> Answer:
    status = rollout.status
    if status.phase in (None, Phase.WAITING):
        return Answer(enter(status, Phase.FAILED, "Aborted", "aborted by a person before it began", now, completed_at=now))
    if status.phase == Phase.ROLLING_BACK or status.completed_at is not None:
        return _ignored(rollout, f"it is too late to abort: {status.message}", is_all=False)
    return Answer(roll_back(status, "Aborted", "aborted by a person", now), is_all=False)


def _promoted(rollout: Rollout, _world: World, now: datetime) -> Answer:
    spec, status = rollout.spec, rollout.status
    if status.phase == Phase.INITIALIZING:
        return Answer(changed(status, promote_requested=True))
    may = status.phase in (Phase.PROGRESSING, Phase.PAUSED) and status.reason != EDITED and status.current_step_index is not None
    if not may or (status.promote_requested and status.phase == Phase.PROGRESSING):
        return _ignored(rollout, f"a rollout that is {status.phase} ({status.reason}) cannot be promoted")
    status = changed(status, promote_requested=True)
    return Answer(unpause(spec, status, now) if status.phase == Phase.PAUSED else status)


def _ignored(rollout: Rollout, message: str, reason: str = "ActionIgnored", is_all: bool = True) -> Answer:
    return Answer(rollout.status, (Tell(reason, message),), is_all)


_ANSWERS: dict[Action, Callable[[Rollout, World, datetime], Answer]] = {
    Action.PAUSE: _paused,
    Action.RESUME: _resumed,
    Action.ABORT: _aborted,
    Action.PROMOTE: _promoted,
}
