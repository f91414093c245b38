"""Guardrails as the operator asks them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from endcap.contracts.rollout import Analysis, Measurement, RolloutStatus
from endcap.release.rollout.resource import Rollout
from endcap.release.rollout.steps import steps_taken
from endcap_rollout_operator.state.transition import with_measurements


class Measuring(Protocol):
    """What the operator needs of guardrails."""

    def measure(
        self,
        analysis: Analysis,
        candidate: int,
        stable: int | None,
        since: datetime,
        before: Sequence[Measurement] = (),
        *,
        steps: int = 1,
    ) -> list[Measurement]: ...

    def requests_since(self, candidate: int, since: datetime) -> int | None: ...


def measured(guardrails: Measuring, rollout: Rollout, now: datetime) -> RolloutStatus:
    """The status with the guardrails' newest measurements and the candidate's requests at this step."""
    spec, status = rollout.spec, rollout.status
    since, candidate = status.step_started_at or now, spec.bundle.version
    stable = status.stable.version if status.stable is not None else None
    analysis = guardrails.measure(spec.analysis, candidate, stable, since, status.analysis, steps=len(steps_taken(spec)))
    return with_measurements(status, analysis, guardrails.requests_since(candidate, since), now)
