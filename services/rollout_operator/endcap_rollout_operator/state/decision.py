"""What comes next in a rollout: a new status and what is to be done, from the resource and the world alone.

Nothing is remembered between two decisions, so whoever takes over after a crash decides the same. The status is written first and its
effects follow; effects that were lost are asked for again, because the world does not look yet as the status wants it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from endcap.contracts.rollout import Phase, RolloutStatus
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.state.effects import AddFinalizer, Effect, RemoveFinalizer, RemoveWish
from endcap_rollout_operator.state.ended import decide_ended
from endcap_rollout_operator.state.paused import decide_paused
from endcap_rollout_operator.state.progressing import decide_progressing
from endcap_rollout_operator.state.promoting import decide_promoting
from endcap_rollout_operator.state.rolling_back import decide_rolling_back, is_overdue, let_go
from endcap_rollout_operator.state.starting import decide_starting
from endcap_rollout_operator.state.transition import changed, enter, roll_back
from endcap_rollout_operator.state.wishes import answered
from endcap_rollout_operator.state.world import World

Step = Callable[[Rollout, World, datetime], tuple[RolloutStatus, list[Effect]]]
_BY_PHASE: dict[Phase, Step] = {
    Phase.INITIALIZING: decide_starting,
    Phase.PROGRESSING: decide_progressing,
    Phase.PAUSED: decide_paused,
    Phase.PROMOTING: decide_promoting,
    Phase.ROLLING_BACK: decide_rolling_back,
}


@dataclass(frozen=True)
class Decision:
    """Attributes:
    status: to be written before anything is done.
    effects: to be carried out in this order; one that fails does not keep the others.
    """

    status: RolloutStatus
    effects: Sequence[Effect] = ()


def decide(rollout: Rollout, world: World, now: datetime) -> Decision:
    """Decide on one rollout.

    Args:
        rollout: with the newest measurements already in its status.
        world: as found just now.
        now: UTC.
    """
    rollout = _with(rollout, changed(rollout.status, observed_generation=rollout.generation))
    if rollout.has_ended:
        return _when_ended(rollout, world, now)
    if rollout.status.phase in (None, Phase.WAITING):
        return _in_line(rollout, world, now)
    if rollout.is_deleting and rollout.status.phase != Phase.ROLLING_BACK and rollout.status.completed_at is None:
        rollout = _with(rollout, roll_back(rollout.status, "Deleted", "the Rollout was deleted in progress", now))
    if rollout.is_deleting and is_overdue(rollout, now):
        return Decision(*let_go(rollout, world, now))
    if not rollout.has_finalizer and not rollout.is_deleting:
        return Decision(rollout.status, (AddFinalizer(),))
    effects: list[Effect] = []
    if rollout.wish is not None:
        answer = answered(rollout, world, now)
        effects = [*answer.effects, RemoveWish(rollout.wish)]
        rollout = _with(rollout, answer.status)
        if answer.is_all or rollout.has_ended:
            return Decision(rollout.status, tuple(effects))
    status, more = _BY_PHASE[rollout.status.phase or Phase.INITIALIZING](rollout, world, now)
    return Decision(status, (*more, *effects))


def _in_line(rollout: Rollout, world: World, now: datetime) -> Decision:
    if rollout.is_deleting:
        return Decision(rollout.status, (RemoveFinalizer(),) if rollout.has_finalizer else ())
    if rollout.wish is not None:
        answer = answered(rollout, world, now)
        return Decision(answer.status, (*answer.effects, RemoveWish(rollout.wish)))
    if world.ahead is not None:
        return Decision(enter(rollout.status, Phase.WAITING, "Queued", f"waits for {world.ahead} to end", now))
    return Decision(enter(rollout.status, Phase.INITIALIZING, "Started", "looks at the target", now, started_at=now))


def _when_ended(rollout: Rollout, world: World, now: datetime) -> Decision:
    status, effects = decide_ended(rollout, world, now)
    return Decision(status, (*([RemoveWish(rollout.wish)] if rollout.wish is not None else []), *effects))


def _with(rollout: Rollout, status: RolloutStatus) -> Rollout:
    return replace(rollout, status=status)
