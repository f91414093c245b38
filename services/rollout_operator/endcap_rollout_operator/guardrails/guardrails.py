"""All guardrails of a rollout at one look."""

import sys
from collections.abc import Sequence
from datetime import datetime

from endcap.contracts.rollout import Analysis, Guardrail, Measurement, seconds_of
from endcap.core.clock import Clock
from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.log import get_logger
from endcap_rollout_operator.guardrails.built_ins import measure_of
from endcap_rollout_operator.guardrails.error_rate import ANSWERED
from endcap_rollout_operator.guardrails.look import Look
from endcap_rollout_operator.guardrails.prometheus import Prometheus
from endcap_rollout_operator.guardrails.reading import Reading, missing
from endcap_rollout_operator.guardrails.verdict import judged


class Guardrails:
    """Measures guardrails. Holds nothing between two looks.

    Args:
        prometheus: where metrics are read.
        clock: the operator's own; only the time since a step's start is taken from it, moments are Prometheus's.
        matchers: further PromQL label matchers of `endcap_bundle_info` and of the outcomes' counters, for a Prometheus that watches several
            installations: two of them may serve bundles of the same version.
    """

    def __init__(self, prometheus: Prometheus, clock: Clock, matchers: str = "") -> None:
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
            measured.append(judged(guardrail, reading, at, last.get(guardrail.name)))
        return measured

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
        return Look(self._prometheus, moment, candidate, stable, window_s, elapsed_s, full_window_s, self._matchers)

    def _reading(self, look: Look | Reading, guardrail: Guardrail) -> Reading:
        """One guardrail's reading; the rest of a look is not queried once Prometheus did not answer."""
        if isinstance(look, Reading):
            return look
        try:
            return measure_of(guardrail)(look, guardrail)
        except DependencyUnavailable as error:
            return self._unanswered(error)
        except InvalidInput as error:
            self._log.warning("a guardrail cannot be measured", guardrail=guardrail.name, reason=str(error))
            return missing(str(error))

    def _unanswered(self, error: DependencyUnavailable) -> Reading:
        self._log.warning("guardrails cannot be measured", reason=str(error))
        return Reading(None, str(error), unanswered=True)
