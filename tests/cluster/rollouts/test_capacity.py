"""Pods for each share of the traffic, on the live API server with its Deployment controller."""

from typing import Any

from endcap.contracts.rollout import Pause, Phase
from endcap.release.rollout.api_server import FIELD_MANAGER, INFERENCE_SERVICES
from endcap_rollout_operator.kserve.replicas import REPLICAS_MANAGER
from tests.cluster.rollouts.scene import Scene
from tests.cluster.rollouts.workload import workloads
from tests.waiting import until

LONG = Pause(duration="10m")


def min_replicas(scene: Scene, name: str) -> int | None:
    document = scene.service(name)
    assert document is not None
    found: int | None = document["spec"]["predictor"].get("minReplicas")
    return found


def managers(scene: Scene, name: str) -> dict[str, Any]:
    """What each field manager has of an InferenceService's predictor."""
    document = scene.service(name)
    assert document is not None
    entries = document["metadata"]["managedFields"]
    return {each["manager"]: each["fieldsV1"].get("f:spec", {}).get("f:predictor", {}) for each in entries if "subresource" not in each}


def test_a_step_waits_for_its_pods_and_the_target_keeps_those_it_had(scene: Scene) -> None:
    target, version = scene.make_target(minReplicas=1, maxReplicas=6), scene.version()
    scene.serve(version)
    with workloads(scene, target, f"{target}-candidate") as (stable, candidate):
        until(stable.is_ready, "the target is ready")
        stable.scale(3)
        stable.until_available(3)
        rollout = scene.start(target, version, weights=(10, 60, 100), pause=LONG)
        scene.until_at_step(rollout, 0)
        assert (min_replicas(scene, target), scene.status(rollout).stable_replicas) == (3, 1)
        until(lambda: stable.autoscaler_minimum() == 3, "the autoscaler keeps the target's pods")
        scene.kserve.hold(f"{target}-candidate")
        scene.ask(rollout, "promote")
        until(lambda: min_replicas(scene, f"{target}-candidate") == 4, "the candidate is given the pods for all traffic")
        status = scene.until_measured(rollout, 3)
        assert (status.phase, status.current_weight) == (Phase.PROGRESSING, 10)
        assert "waits for 4 available pods of the candidate for 100 % of the traffic (1 so far" in status.message
        assert scene.weights(target)[f"{target}-candidate-predictor"] == 10
        scene.kserve.release(f"{target}-candidate")
        until(lambda: scene.weights(target).get(f"{target}-candidate-predictor") == 100, "all traffic")
        assert candidate.available() == 4
        assert scene.until_ended(rollout).phase == Phase.SUCCEEDED
        assert min_replicas(scene, target) == 1
        until(lambda: stable.autoscaler_minimum() == 1, "the autoscaler is as it was")
    assert REPLICAS_MANAGER not in managers(scene, target)
    assert "f:storageUri" in managers(scene, target)[FIELD_MANAGER]["f:model"]


def test_a_rollback_finds_the_pods_it_left_and_a_persons_minimum_stays(scene: Scene) -> None:
    target, version = scene.make_target(minReplicas=1, maxReplicas=6), scene.version()
    scene.serve(version)
    with workloads(scene, target) as (stable,):
        until(stable.is_ready, "the target is ready")
        stable.scale(2)
        stable.until_available(2)
        rollout = scene.start(target, version, weights=(50, 100), pause=LONG)
        scene.until_at_step(rollout, 0)
        stable.scale(1)  # as an autoscaler does when the traffic has gone
        stable.until_available(2)
        scene.server.merge(INFERENCE_SERVICES, target, {"spec": {"predictor": {"minReplicas": 3}}})
        scene.ask(rollout, "abort")
        assert scene.until_ended(rollout).reason == "Aborted"
    assert min_replicas(scene, target) == 3


def test_a_persons_minimum_of_the_candidate_is_an_edit_that_the_operators_own_is_not(scene: Scene) -> None:
    target, version = scene.make_target(minReplicas=2, maxReplicas=6), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(100,), pause=LONG)
    status = scene.until_at_step(rollout, 0)
    assert min_replicas(scene, f"{target}-candidate") == 4 and status.phase == Phase.PROGRESSING
    scene.server.merge(INFERENCE_SERVICES, f"{target}-candidate", {"spec": {"predictor": {"minReplicas": 1}}})
    scene.until(rollout, "notice of the edit", phase=Phase.PAUSED, reason="EditedByHand")
    scene.ask(rollout, "abort")
