"""Effects that the API server refuses, as the status of a rollout says them: beside its own message, until they succeed."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from endcap.contracts.rollout import Refusal, RolloutStatus
from endcap_rollout_operator.state.effects import Effect
from endcap_rollout_operator.state.transition import changed

SEPARATOR = "; "
RENEWED_AFTER = timedelta(seconds=30)
"""A reason that reads differently each time, by a count or an address, is written no more often."""


def without_refusals(status: RolloutStatus) -> RolloutStatus:
    """The status with its own message only; the refusals stay beside it."""
    ending = _joined(status.refusals)
    return changed(status, message=status.message.removesuffix(ending).removesuffix(SEPARATOR) if ending else status.message)


def with_refusals(status: RolloutStatus, refusals: Iterable[Refusal]) -> RolloutStatus:
    """The status, whose message is its own, with these refusals and no others."""
    refused = list(refusals)
    return changed(status, refusals=refused, message=SEPARATOR.join(each for each in (status.message, _joined(refused)) if each))


def still_wanted(refusals: Iterable[Refusal], effects: Iterable[Effect]) -> list[Refusal]:
    """Those of effects that are about to be tried again."""
    wanted = {type(effect).__name__ for effect in effects}
    return [each for each in refusals if each.effect in wanted]


def renewed(before: Iterable[Refusal], now_refused: Iterable[Refusal]) -> list[Refusal]:
    """What is refused now; one that was a moment ago keeps its words."""
    known = {each.effect: each for each in before}
    return [_kept(known.get(each.effect), each) for each in now_refused]


def reason_to_wait(status: RolloutStatus) -> str:
    """Why a rollout does not go on: what is refused, else its own message."""
    return ", ".join(each.message for each in status.refusals) or status.message


def refusal(effect: Effect | str, message: str, now: datetime) -> Refusal:
    return Refusal(effect=effect if isinstance(effect, str) else type(effect).__name__, message=message, at=now)


def _kept(before: Refusal | None, new: Refusal) -> Refusal:
    return before if before is not None and (before.message == new.message or new.at - before.at < RENEWED_AFTER) else new


def _joined(refusals: Sequence[Refusal]) -> str:
    return SEPARATOR.join(each.message for each in refusals)
