"""What comes next in a rollout: a new status and what is to be done, from the resource and the observed state alone.

Nothing is remembered between two decisions, so whoever takes over after a crash decides the same. The status is written first and its
effects follow; effects that were lost are decided again, because the observed state is not yet what the status wants.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from endcap.contracts.rollout import Phase, RolloutStatus
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.state.effects import AddFinalizer, Effect, RemoveAction, RemoveFinalizer
from endcap_rollout_operator.state.ended import decide_ended
from endcap_rollout_operator.state.initializing import decide_initializing
from endcap_rollout_operator.state.observed_state import ObservedState
from endcap_rollout_operator.state.paused import decide_paused
from endcap_rollout_operator.state.progressing import decide_progressing
from endcap_rollout_operator.state.promoting import decide_promoting
from endcap_rollout_operator.state.requested_action import apply_action
from endcap_rollout_operator.state.rolling_back import decide_rolling_back, is_overdue, let_go
from endcap_rollout_operator.state.transition import changed, enter, roll_back

Step = Callable[[Rollout, ObservedState, datetime], tuple[RolloutStatus, list[Effect]]]
_BY_PHASE: dict[Phase, Step] = {
    Phase.INITIALIZING: decide_initializing,
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


def decide(rollout: Rollout, observed: ObservedState, now: datetime) -> Decision:
    """Decide on one rollout.

    Args:
        rollout: with the newest measurements already in its status.
        observed: as found just now.
        now: UTC.
    """
    rollout = _with(rollout, changed(rollout.status, observed_generation=rollout.generation))
    if rollout.has_ended:
        return _when_ended(rollout, observed, now)
    if rollout.status.phase in (None, Phase.WAITING):
        return _queued(rollout, observed, now)
    if rollout.is_deleting and rollout.status.phase != Phase.ROLLING_BACK and rollout.status.completed_at is None:
        rollout = _with(rollout, roll_back(rollout.status, "Deleted", "the Rollout was deleted in progress", now))
    if rollout.is_deleting and is_overdue(rollout, now):
        return Decision(*let_go(rollout, observed, now))
    if not rollout.has_finalizer and not rollout.is_deleting:
        return Decision(rollout.status, (AddFinalizer(),))
    effects: list[Effect] = []
    if rollout.requested_action is not None:
        result = apply_action(rollout, observed, now)
        effects = [*result.effects, RemoveAction(rollout.requested_action)]
        rollout = _with(rollout, result.status)
        if result.is_final or rollout.has_ended:
            return Decision(rollout.status, tuple(effects))
    status, more = _BY_PHASE[rollout.status.phase or Phase.INITIALIZING](rollout, observed, now)
    return Decision(status, (*more, *effects))


def _queued(rollout: Rollout, observed: ObservedState, now: datetime) -> Decision:
    if rollout.is_deleting:
        return Decision(rollout.status, (RemoveFinalizer(),) if rollout.has_finalizer else ())
    if rollout.requested_action is not None:
        result = apply_action(rollout, observed, now)
        return Decision(result.status, (*result.effects, RemoveAction(rollout.requested_action)))
    if observed.ahead is not None:
        return Decision(enter(rollout.status, Phase.WAITING, "Queued", f"waits for {observed.ahead} to end", now))
    return Decision(enter(rollout.status, Phase.INITIALIZING, "Started", "looks at the target", now, started_at=now))


def _when_ended(rollout: Rollout, observed: ObservedState, now: datetime) -> Decision:
    status, effects = decide_ended(rollout, observed, now)
    return Decision(status, (*([RemoveAction(rollout.requested_action)] if rollout.requested_action is not None else []), *effects))


def _with(rollout: Rollout, status: RolloutStatus) -> Rollout:
    return replace(rollout, status=status)
