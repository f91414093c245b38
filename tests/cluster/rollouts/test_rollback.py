"""Bad candidates: each guardrail trips by its own, the traffic is back at once, and why is said."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from endcap.contracts.rollout import BuiltIn, Guardrail, Pause, Phase
from tests.cluster.rollouts.scene import CANDIDATE_COLLECTION, STABLE, STABLE_COLLECTION, Scene, seconds_to_roll_back
from tests.cluster.rollouts.targets import storage_uri

ROLLBACK_SECONDS_MAX = 30.0
LONG = Pause(duration="10m")
QUERY = 'sum(increase(endcap_lists_total[${window}]) and on (instance) endcap_bundle_info{version="${candidate}"}) / 10'


@dataclass(frozen=True)
class Fault:
    """One way to be bad, and the guardrail for it.

    Attributes:
        traffic: of the candidate's pod.
        outcomes: what shoppers do with its lists.
    """

    guardrail: Guardrail
    traffic: dict[str, Any] = field(default_factory=dict)
    outcomes: dict[str, Any] = field(default_factory=dict)


def built_in(kind: BuiltIn, limit: float, **fields: Any) -> Guardrail:
    return Guardrail(name=kind.lower(), built_in=kind, limit=limit, **fields)


FAULTS = {
    "error-rate": Fault(built_in(BuiltIn.ERROR_RATE, 0.01), {"error_share": 0.2}),
    "latency": Fault(built_in(BuiltIn.LATENCY_P99, 0.05), {"latencies_s": {0.4: 1.0}}),
    "degraded": Fault(built_in(BuiltIn.DEGRADED_SHARE, 0.05), {"degraded_share": 0.5}),
    "empty": Fault(built_in(BuiltIn.EMPTY_SHARE, 0.0), {"empty_share": 0.1}),
    "score-drift": Fault(built_in(BuiltIn.SCORE_DRIFT, 0.25), {"top_scores": {0.9: 1.0}}),
    "clicks": Fault(built_in(BuiltIn.CLICK_THROUGH, -0.05, direction="atLeast"), outcomes={"click_share": 0.02}),
    "conversion": Fault(built_in(BuiltIn.CONVERSION, -0.05, direction="atLeast"), outcomes={"purchase_share": 0.001}),
    "query": Fault(Guardrail(name="lists", query=QUERY, limit=1)),
}


@pytest.fixture(scope="module")
def broken(scene: Scene) -> dict[str, tuple[str, str]]:
    """Target and rollout of each fault; all run beside each other."""
    scene.outcomes.change(STABLE, impressions_per_second=3_000)
    started = {}
    for name, fault in FAULTS.items():
        target, version = scene.make_target(stem=name), scene.version()
        scene.serve(version, **fault.traffic)
        scene.outcomes.change(version, impressions_per_second=3_000, **fault.outcomes)
        started[name] = target, scene.start(target, version, weights=(20, 100), pause=LONG, guardrails=[fault.guardrail])
    return started


@pytest.mark.parametrize("name", FAULTS)
def test_a_guardrail_that_trips_brings_the_traffic_back_at_once(scene: Scene, broken: dict[str, tuple[str, str]], name: str) -> None:
    target, rollout = broken[name]
    status = scene.until_ended(rollout, within_s=90)
    assert (status.phase, status.reason) == (Phase.FAILED, "GuardrailTripped"), status.message
    assert status.tripped is not None and status.tripped.name == FAULTS[name].guardrail.name
    assert status.tripped.name in status.message
    assert seconds_to_roll_back(status) < ROLLBACK_SECONDS_MAX
    assert scene.weights(target) == {f"{target}-predictor": 100}
    assert scene.served(target) == storage_uri(STABLE) and scene.service(f"{target}-candidate") is None
    assert "GuardrailTripped" in scene.events(rollout) and "RolledBackGuardrailTripped" in scene.events(rollout)
    assert scene.metric(f'endcap_rollout_rollbacks_total{{reason="GuardrailTripped",target="{target}"}}') == 1


def test_the_alias_is_back_with_the_traffic(scene: Scene) -> None:
    from endcap.release.index.alias import move_alias
    from endcap.release.index.connection import connect

    target, version = scene.make_target(), scene.version()
    rollout = scene.start(target, version, pause=LONG)
    scene.until_at_step(rollout, 0)
    client = connect(scene.milvus)
    move_alias(client, scene.milvus.collection_prefix, CANDIDATE_COLLECTION)
    client.close()
    scene.serve(version, error_share=0.5)
    status = scene.until_completed(rollout)
    assert status.reason == "GuardrailTripped"
    assert scene.alias() == STABLE_COLLECTION
    assert seconds_to_roll_back(status) < ROLLBACK_SECONDS_MAX


def test_a_guardrail_trips_in_the_last_step_too(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(50, 100), pause=Pause(duration="4s", min_requests=50))
    scene.until_at_step(rollout, 1)
    scene.pods[version].change(error_share=0.5)
    status = scene.until_completed(rollout)
    assert (status.reason, scene.served(target)) == ("GuardrailTripped", storage_uri(STABLE))


@pytest.mark.parametrize("missing", ["no requests", "no such metric"])
def test_missing_data_holds_the_step(scene: Scene, missing: str) -> None:
    target, version = scene.make_target(), scene.version()
    guardrail = Guardrail(name="queue", query="made_queue_length", limit=1) if missing == "no such metric" else None
    if guardrail is not None:
        scene.serve(version)
    rollout = scene.start(target, version, pause=Pause(duration="1s"), **({"guardrails": [guardrail]} if guardrail else {}))
    scene.until_at_step(rollout, 0)
    status = scene.until_measured(rollout, 4)
    assert (status.phase, status.current_step_index) == (Phase.PROGRESSING, 0) and "to have data" in status.message
    assert [measurement.verdict for measurement in status.analysis] == ["missing"]
    scene.ask(rollout, "abort")


def test_a_candidate_that_does_not_get_ready_gets_no_traffic(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.kserve.hold(f"{target}-candidate")
    rollout = scene.start(target, version, deadline=4)
    status = scene.until_ended(rollout)
    assert (status.phase, status.reason) == (Phase.FAILED, "ProgressDeadlineExceeded")
    assert status.current_step_index is None and scene.weights(target) == {f"{target}-predictor": 100}


def test_a_candidate_without_its_collection_does_not_start(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    rollout = scene.start(target, version, collection="endcap_999", deadline=600)
    status = scene.until(rollout, "missing collection", reason="CollectionMissing")
    assert "endcap_999" in status.message and scene.service(f"{target}-candidate") is None
    scene.ask(rollout, "abort")
    assert scene.until_ended(rollout).reason == "Aborted"
