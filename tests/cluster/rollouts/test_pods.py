"""Pods come and go while a rollout runs: InferenceServices are not Ready meanwhile, and that is no reason to roll back."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from endcap.contracts.rollout import Pause, Phase
from endcap_rollout_operator.kserve.inference_service import SOURCE_ANNOTATION
from tests.cluster.rollouts.scene import Scene
from tests.cluster.rollouts.targets import storage_uri
from tests.cluster.rollouts.workload import Workload, workloads
from tests.waiting import until

LONG = Pause(duration="10m")
LOOKS = 18
"""A second apart: for longer than a candidate may be without any pod."""
DISTURBANCES: dict[str, Callable[[Workload], None]] = {
    "scale-out": lambda workload: workload.scale(3),
    "pod-loss": lambda workload: workload.lose_one(),
}


@pytest.fixture(scope="module")
def disturbed(scene: Scene) -> dict[str, tuple[str, str]]:
    """Target and rollout of each disturbance of a candidate with two pods, all of them not Ready for longer than 15 s."""
    started = {}
    for name in DISTURBANCES:
        target, version = scene.make_target(stem=name, minReplicas=2, maxReplicas=5), scene.version()
        scene.serve(version)
        started[name] = target, scene.start(target, version, weights=(50, 100), pause=LONG)
    for name, disturb in DISTURBANCES.items():
        target, rollout = started[name]
        scene.until_at_step(rollout, 0)
        scene.kserve.hold(f"{target}-candidate")
        with workloads(scene, f"{target}-candidate") as (candidate,):
            disturb(candidate)
            candidate.until_not_ready()
    scene.until_measured(started["pod-loss"][1], LOOKS)
    return started


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_candidate_that_scales_out_or_loses_a_pod_in_mid_step_is_promoted(
    scene: Scene, disturbed: dict[str, tuple[str, str]], name: str
) -> None:
    target, rollout = disturbed[name]
    status = scene.status(rollout)
    assert (status.phase, status.current_step_index) == (Phase.PROGRESSING, 0), status.message
    assert scene.weights(target)[f"{target}-candidate-predictor"] == 50
    if name == "pod-loss":
        assert "2 available pods of the candidate for 50 % of the traffic (1 so far" in status.message
    scene.kserve.release(f"{target}-candidate")
    scene.ask(rollout, "promote")
    assert scene.until_ended(rollout).phase == Phase.SUCCEEDED


def test_a_candidate_without_any_pod_is_rolled_back(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(50, 100), pause=LONG)
    scene.until_at_step(rollout, 0)
    scene.kserve.lose(f"{target}-candidate")
    assert scene.until_ended(rollout).reason == "CandidateNotReady"


def test_a_target_that_scales_out_holds_up_neither_the_start_nor_the_promotion(scene: Scene) -> None:
    target, version = scene.make_target(minReplicas=1, maxReplicas=6), scene.version()
    scene.serve(version)
    with workloads(scene, target) as (stable,):
        until(stable.is_ready, "the target is ready")
        scene.kserve.hold(target)
        stable.scale(2)
        stable.until_not_ready()
        rollout = scene.start(target, version, weights=(100,), pause=Pause(duration="1s"))
        until(lambda: scene.served(target) == storage_uri(version), "the promotion's last part")
        scene.operator.kill()
        try:
            scene.kserve.release(target)
            until(lambda: _serves_with_every_pod(stable, storage_uri(version)), "the target serves the bundle with every pod")
            scene.kserve.hold(target)
            stable.scale(stable.available() + 1)
            stable.until_not_ready()
        finally:
            scene.operator.start()
        assert scene.until_ended(rollout).phase == Phase.SUCCEEDED
        assert stable.is_ready() is False


def _serves_with_every_pod(stable: Workload, bundle: str) -> bool:
    deployment = stable.deployment()
    if deployment.spec.template.metadata.annotations[SOURCE_ANNOTATION] != bundle:
        return False
    status, wanted = deployment.status, deployment.spec.replicas
    is_observed = status.observed_generation == deployment.metadata.generation
    return bool(is_observed and status.replicas == status.updated_replicas == status.available_replicas == wanted)


def test_a_model_that_loads_slowly_has_the_deadline_for_each_pod(scene: Scene) -> None:
    target, version = scene.make_target(minReplicas=3, maxReplicas=9), scene.version()
    scene.serve(version)
    scene.kserve.hold(f"{target}-candidate")
    deadline_s, load_s = 20, 7.0
    rollout = scene.start(target, version, weights=(10, 100), pause=LONG, deadline=deadline_s)
    with workloads(scene, f"{target}-candidate") as (candidate,):
        for number in range(3):
            _pass(load_s)
            pods = until(lambda number=number: len(found := candidate.pods()) > number and found, "the next pod")  # type: ignore[misc]
            candidate.make_ready(pods[number])
            candidate.until_available(number + 1)
    status = scene.until_at_step(rollout, 0)
    assert status.started_at is not None and (datetime.now(UTC) - status.started_at).total_seconds() > deadline_s
    scene.ask(rollout, "abort")


def _pass(seconds: float) -> None:
    """Let time go by: what is waited for is that nothing happens."""
    end = time.monotonic() + seconds
    until(lambda: time.monotonic() > end, "time goes by")
