"""Rollbacks to a stable version whose collection is not in Milvus."""

from endcap.contracts.rollout import Pause, Phase
from tests.cluster.rollouts.scene import Scene
from tests.cluster.rollouts.workload import workloads
from tests.waiting import until

LONG = Pause(duration="10m")
GONE = "endcap_gone"
"""A collection that is in no Milvus."""


def in_progress(scene: Scene) -> tuple[str, str]:
    """Target and rollout, the candidate with half of the traffic; the stable version's collection is gone."""
    target, version = scene.make_target(collection=GONE), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(50, 100), pause=LONG)
    scene.until_at_step(rollout, 0)
    return target, rollout


def without_pods(scene: Scene, target: str) -> None:
    scene.kserve.lose(target)
    with workloads(scene, target) as (stable,):
        stable.until_available(0)


def test_the_stable_version_gets_the_traffic_and_the_alias_stays(scene: Scene) -> None:
    target, rollout = in_progress(scene)
    alias = scene.alias()
    scene.ask(rollout, "abort")
    status = scene.until_ended(rollout)
    assert (status.phase, status.reason) == (Phase.FAILED, "StableCollectionMissing")
    for part in (GONE, "endcap bundle store 1", "endcap index build", "aborted by a person"):
        assert part in status.message
    assert (scene.weights(target), scene.alias()) == ({f"{target}-predictor": 100}, alias)
    assert scene.service(f"{target}-candidate") is None
    scene.remove(rollout)


def test_the_candidate_keeps_the_traffic_until_the_stable_version_has_a_pod(scene: Scene) -> None:
    target, rollout = in_progress(scene)
    without_pods(scene, target)
    scene.ask(rollout, "abort")
    status = scene.until_ended(rollout)
    assert (status.phase, status.reason) == (Phase.FAILED, "StableCollectionMissing")
    assert "the candidate keeps the traffic until the target has an available pod" in status.message
    assert scene.weights(target)[f"{target}-candidate-predictor"] == 50
    scene.kserve.release(target)
    until(lambda: scene.weights(target) == {f"{target}-predictor": 100}, "the traffic is back")
    until(lambda: scene.service(f"{target}-candidate") is None, "the candidate goes")


def test_a_rollout_that_is_deleted_leaves_the_candidate_the_traffic(scene: Scene) -> None:
    target, rollout = in_progress(scene)
    without_pods(scene, target)
    scene.remove(rollout)
    candidate = scene.service(f"{target}-candidate")
    assert candidate is not None and not candidate["metadata"].get("ownerReferences")
    assert scene.weights(target)[f"{target}-candidate-predictor"] == 50
    scene.forget_candidate(target)
