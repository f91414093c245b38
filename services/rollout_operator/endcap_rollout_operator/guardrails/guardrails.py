"""All guardrails of a rollout at one look: which function measures which, and its reading held against the limit."""

import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Literal

from endcap.contracts.rollout import Analysis, BuiltIn, Guardrail, Measurement, RolloutSpec, seconds_of
from endcap.core.clock import Clock
from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.release.rollout.outcome_steps import refuse_short_steps
from endcap_rollout_operator.guardrails.click_through import click_through
from endcap_rollout_operator.guardrails.conversion import conversion
from endcap_rollout_operator.guardrails.custom_query import custom_query
from endcap_rollout_operator.guardrails.degraded_share import degraded_share
from endcap_rollout_operator.guardrails.empty_share import empty_share
from endcap_rollout_operator.guardrails.error_rate import ANSWERED, error_rate
from endcap_rollout_operator.guardrails.latency_p99 import latency_p99
from endcap_rollout_operator.guardrails.look import Look, Reading, missing
from endcap_rollout_operator.guardrails.prometheus import Prometheus
from endcap_rollout_operator.guardrails.score_drift import score_drift

Measure = Callable[[Look, Guardrail], Reading]

BUILT_INS: dict[BuiltIn, Measure] = {
    BuiltIn.ERROR_RATE: error_rate,
    BuiltIn.LATENCY_P99: latency_p99,
    BuiltIn.DEGRADED_SHARE: degraded_share,
    BuiltIn.EMPTY_SHARE: empty_share,
    BuiltIn.SCORE_DRIFT: score_drift,
    BuiltIn.CLICK_THROUGH: click_through,
    BuiltIn.CONVERSION: conversion,
}


Verdict = Literal["pass", "fail", "missing"]


class Guardrails:
    """Measures guardrails. Holds nothing between two looks.

    Args:
        prometheus: where metrics are read.
        clock: the operator's own; only the time since a step's start is taken from it, moments are Prometheus's.
        matchers: further PromQL label matchers of `endcap_bundle_info` and of the outcomes' counters, for a Prometheus that watches several
            installations: two of them may serve bundles of the same version.
        outcome_window: how long after it was shown a list is counted in the outcomes' counters.
    """

    def __init__(self, prometheus: Prometheus, clock: Clock, matchers: str = "", outcome_window: timedelta = timedelta()) -> None:
        self._outcome_window = outcome_window
        self._prometheus = prometheus
        self._clock = clock
        self._matchers = matchers
        self._log = get_logger("guardrails")

    def measure(
        self,
        analysis: Analysis,
        candidate: int,
        stable: int | None,
        since: datetime,
        before: Sequence[Measurement] = (),
        *,
        steps: int = 1,
    ) -> list[Measurement]:
        """Measure every guardrail once; none raises: what cannot be measured is missing, and says why.

        Args:
            analysis: the guardrails and how far they look back.
            candidate: version of its bundle.
            stable: version of its bundle; None when the target served none.
            since: when the candidate got its present share of the traffic; nothing before that counts.
            before: what was measured last, for failures in a row.
            steps: steps of the rollout. Each compares outcomes anew, so each gets that part of a guardrail's `alpha`.

        Returns:
            one measurement a guardrail, in their order.
        """
        at, last = self._clock(), {each.name: each for each in before}
        look = self._look(candidate, stable, since, seconds_of(analysis.window))
        measured = []
        for guardrail in analysis.guardrails:
            reading = self._reading(look, guardrail.model_copy(update={"alpha": guardrail.alpha / steps}))
            if reading.unanswered:
                look = reading
            measured.append(to_measurement(guardrail, reading, at, last.get(guardrail.name)))
        return measured

    def refusal(self, spec: RolloutSpec) -> str:
        """Why a rollout cannot be guarded as it is; empty when it can."""
        try:
            refuse_short_steps(spec.steps, spec.analysis, self._outcome_window)
        except InvalidInput as error:
            return str(error)
        return ""

    def requests_since(self, candidate: int, since: datetime) -> int | None:
        """Lists that a version's pods answered since a moment; None when Prometheus does not know."""
        look = self._look(candidate, None, since, sys.maxsize)
        if isinstance(look, Reading):
            return None
        try:
            answered = look.increase(ANSWERED, candidate)
        except (DependencyUnavailable, InvalidInput) as error:
            self._log.warning("no count of requests", reason=str(error))
            return None
        return None if answered is None else int(answered)

    def _look(self, candidate: int, stable: int | None, since: datetime, full_window_s: int) -> Look | Reading:
        """The look, or why there can be none."""
        elapsed_s = int((self._clock() - since).total_seconds())
        if elapsed_s < 1:
            return missing("the step has just begun")
        try:
            moment = self._prometheus.now()
        except DependencyUnavailable as error:
            return self._unanswered(error)
        window_s = min(full_window_s, elapsed_s)
        outcome_window_s = ceil(self._outcome_window.total_seconds())
        return Look(self._prometheus, moment, candidate, stable, window_s, elapsed_s, full_window_s, outcome_window_s, self._matchers)

    def _reading(self, look: Look | Reading, guardrail: Guardrail) -> Reading:
        """One guardrail's reading; the rest of a look is not queried once Prometheus did not answer."""
        if isinstance(look, Reading):
            return look
        try:
            return _measure_of(guardrail)(look, guardrail)
        except DependencyUnavailable as error:
            return self._unanswered(error)
        except InvalidInput as error:
            self._log.warning("a guardrail cannot be measured", guardrail=guardrail.name, reason=str(error))
            return missing(str(error))

    def _unanswered(self, error: DependencyUnavailable) -> Reading:
        self._log.warning("guardrails cannot be measured", reason=str(error))
        return Reading(None, str(error), unanswered=True)


def open_guardrails(settings: Settings, clock: Clock) -> Guardrails:
    """Guardrails on the Prometheus that the settings name; the first query is made when something is measured."""
    rollouts = settings.rollouts
    prometheus = Prometheus.at(rollouts.prometheus_url, rollouts.prometheus_timeout_seconds)
    return Guardrails(prometheus, clock, rollouts.prometheus_matchers, timedelta(minutes=settings.outcomes.list_minutes))


def to_measurement(guardrail: Guardrail, reading: Reading, at: datetime, before: Measurement | None) -> Measurement:
    """A reading held against the limit.

    Failures in a row go on from the measurement before; one without data in between neither adds to them nor forgives them.
    """
    if reading.stands and before is not None and before.verdict == "pass":
        return before.model_copy(update={"at": at, "message": f"{reading.message}; what was measured last stands"})
    verdict = _verdict(guardrail, reading)
    so_far = before.failures if before is not None else 0
    return Measurement(
        name=guardrail.name,
        at=at,
        verdict=verdict,
        value=reading.value,
        limit=guardrail.limit,
        direction=guardrail.direction,
        stable=reading.stable,
        failures={"pass": 0, "fail": so_far + 1, "missing": so_far}[verdict],
        message=reading.message,
    )


def _verdict(guardrail: Guardrail, reading: Reading) -> Verdict:
    if reading.value is None:
        return "missing"
    kept = reading.value <= guardrail.limit if guardrail.direction == "atMost" else reading.value >= guardrail.limit
    if kept:
        return "pass" if reading.enough else "missing"
    return "fail" if reading.enough or (reading.certain and guardrail.direction == "atMost") else "missing"


def _measure_of(guardrail: Guardrail) -> Measure:
    """What measures a guardrail: endcap's own function, or the query that it brings along."""
    return custom_query if guardrail.built_in is None else BUILT_INS[guardrail.built_in]
