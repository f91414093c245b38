"""What the operator shows to Prometheus. What rollouts are and have is read from them at each scrape, so nothing outlives its Rollout."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from endcap.contracts.rollout import Phase
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.state.transition import EDITED

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class OperatorMetrics:
    """Counters of what the operator did, and the rollouts as it last saw them.

    Args:
        registry: where they are registered.
    """

    def __init__(self, registry: "CollectorRegistry") -> None:
        from prometheus_client import Counter

        self._rollouts: dict[str, Rollout] = {}
        self._rollbacks = Counter(
            "endcap_rollout_rollbacks", "Rollouts that were rolled back, by what led to it.", ["target", "reason"], registry=registry
        )
        self._edits = Counter(
            "endcap_rollout_manual_edits", "Edits of a target by hand that paused a rollout.", ["target"], registry=registry
        )
        self._promotions = Counter(
            "endcap_rollout_promotions", "Rollouts whose bundle became the stable one.", ["target"], registry=registry
        )
        self.failures = Counter(
            "endcap_rollout_failures", "Looks and effects that failed and are tried again.", ["what"], registry=registry
        )
        self.looks = Counter("endcap_rollout_looks", "Looks at rollouts.", registry=registry)
        registry.register(self)

    def show(self, rollouts: Iterable[Rollout]) -> None:
        """These are the rollouts there are: all that have not ended, and the newest of each target."""
        shown: dict[str, Rollout] = {}
        newest: dict[str, Rollout] = {}
        for rollout in sorted(rollouts, key=lambda each: each.created_at):
            newest[rollout.spec.target] = rollout
            if not rollout.has_ended:
                shown[rollout.name] = rollout
        self._rollouts = shown | {rollout.name: rollout for rollout in newest.values()}

    def moved(self, before: Rollout, after: Rollout) -> None:
        """A status was written."""
        self._rollouts = {**self._rollouts, after.name: after}
        was, now = before.status, after.status
        target = after.spec.target
        if now.phase == Phase.ROLLING_BACK and was.phase != Phase.ROLLING_BACK:
            self._rollbacks.labels(target, now.reason).inc()
        if now.reason == EDITED and was.reason != EDITED:
            self._edits.labels(target).inc()
        if now.phase == Phase.SUCCEEDED and was.phase == Phase.PROMOTING:
            self._promotions.labels(target).inc()

    def collect(self) -> Sequence[Any]:
        """The rollouts as gauges, as `prometheus_client` asks for them."""
        from prometheus_client.core import GaugeMetricFamily

        phase = GaugeMetricFamily("endcap_rollout_phase", "1 for the phase a rollout is in.", labels=["rollout", "target", "phase"])
        weight = GaugeMetricFamily(
            "endcap_rollout_weight", "Share of the traffic on the candidate.", labels=["rollout", "target", "version"]
        )
        value = GaugeMetricFamily("endcap_rollout_guardrail_value", "What was measured last.", labels=["rollout", "target", "guardrail"])
        limit = GaugeMetricFamily("endcap_rollout_guardrail_limit", "What it is held against.", labels=["rollout", "target", "guardrail"])
        failures = GaugeMetricFamily(
            "endcap_rollout_guardrail_failures", "Measurements in a row that broke the limit.", labels=["rollout", "target", "guardrail"]
        )
        for rollout in self._rollouts.values():
            status, names = rollout.status, [rollout.name, rollout.spec.target]
            for each in Phase:
                phase.add_metric([*names, each], float(status.phase == each))
            weight.add_metric([*names, str(rollout.spec.bundle.version)], status.current_weight / 100)
            for measurement in status.analysis:
                if measurement.value is not None:
                    value.add_metric([*names, measurement.name], measurement.value)
                limit.add_metric([*names, measurement.name], measurement.limit)
                failures.add_metric([*names, measurement.name], measurement.failures)
        return [phase, weight, value, limit, failures]
