"""What the operator shows to Prometheus."""

from dataclasses import replace
from datetime import timedelta

from prometheus_client import CollectorRegistry

from endcap.contracts.rollout import Phase, RolloutStatus
from endcap.release.rollout.resource import Rollout
from endcap_rollout_operator.metrics import OperatorMetrics
from tests.services.rollout_operator.state.made_cluster import START, MadeCluster, made_rollout


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(name, labels)


def in_phase(name: str, phase: Phase, reason: str = "", age: int = 0) -> Rollout:
    return made_rollout(name=name, status=RolloutStatus(phase=phase, reason=reason), created_at=START + timedelta(seconds=age))


def test_a_rollout_shows_phase_weight_and_guardrails() -> None:
    registry = CollectorRegistry()
    metrics = OperatorMetrics(registry)
    made = MadeCluster(made_rollout())
    made.pass_time(3)
    metrics.show([made.rollout])
    assert value(registry, "endcap_rollout_phase", rollout="endcap-2", target="endcap", phase="Progressing") == 1
    assert value(registry, "endcap_rollout_phase", rollout="endcap-2", target="endcap", phase="Failed") == 0
    assert value(registry, "endcap_rollout_weight", rollout="endcap-2", target="endcap", version="2") == 0.05
    assert value(registry, "endcap_rollout_guardrail_limit", rollout="endcap-2", target="endcap", guardrail="errors") == 0.01
    assert value(registry, "endcap_rollout_guardrail_value", rollout="endcap-2", target="endcap", guardrail="errors") == 0


def test_of_those_that_ended_only_the_newest_is_shown() -> None:
    registry = CollectorRegistry()
    metrics = OperatorMetrics(registry)
    metrics.show([in_phase("a", Phase.SUCCEEDED), in_phase("b", Phase.FAILED, age=1)])
    assert value(registry, "endcap_rollout_phase", rollout="a", target="endcap", phase="Succeeded") is None
    assert value(registry, "endcap_rollout_phase", rollout="b", target="endcap", phase="Failed") == 1
    metrics.show([])
    assert value(registry, "endcap_rollout_phase", rollout="b", target="endcap", phase="Failed") is None


def test_rollbacks_edits_and_promotions_are_counted_when_they_begin() -> None:
    registry = CollectorRegistry()
    metrics = OperatorMetrics(registry)
    progressing, back = in_phase("a", Phase.PROGRESSING), in_phase("a", Phase.ROLLING_BACK, "Aborted")
    metrics.moved(progressing, back)
    metrics.moved(back, replace(back, resource_version="2"))
    metrics.moved(progressing, in_phase("a", Phase.PAUSED, "EditedByHand"))
    metrics.moved(in_phase("a", Phase.PROMOTING), in_phase("a", Phase.SUCCEEDED))
    assert value(registry, "endcap_rollout_rollbacks_total", target="endcap", reason="Aborted") == 1
    assert value(registry, "endcap_rollout_manual_edits_total", target="endcap") == 1
    assert value(registry, "endcap_rollout_promotions_total", target="endcap") == 1
