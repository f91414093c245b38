"""Knative mode: one InferenceService and `canaryTrafficPercent`."""

from typing import Any

import pytest

from endcap.contracts.rollout import Pause, Phase
from tests.cluster.rollouts.scene import STABLE, Scene, seconds_to_roll_back
from tests.cluster.rollouts.targets import storage_uri
from tests.waiting import until

STEPS = Pause(duration="3s", min_requests=50)


def predictor(scene: Scene, target: str) -> dict[str, Any]:
    document = scene.service(target)
    assert document is not None
    return dict(document["spec"]["predictor"])


def shares(scene: Scene, target: str) -> dict[str, int]:
    """Of the traffic, by revision, as Knative routes it."""
    document = scene.service(target)
    assert document is not None
    found: dict[str, int] = {}
    for each in document["status"]["components"]["predictor"]["traffic"]:
        found[each["revisionName"]] = found.get(each["revisionName"], 0) + each["percent"]
    return {name: share for name, share in found.items() if share}


def test_a_good_candidate_becomes_the_only_revision(scene: Scene) -> None:
    target, version = scene.make_target("Knative"), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, pause=STEPS)
    assert scene.until_at_step(rollout, 0).mode == "Knative"
    assert predictor(scene, target)["canaryTrafficPercent"] == 5
    assert sorted(shares(scene, target).values()) == [5, 95]
    assert scene.until_ended(rollout).phase == Phase.SUCCEEDED
    assert scene.served(target) == storage_uri(version) and "canaryTrafficPercent" not in predictor(scene, target)
    until(lambda: shares(scene, target) == {f"{target}-predictor-00002": 100}, "all traffic on the new revision")


@pytest.mark.parametrize("bad_at", [0, 1])
def test_a_bad_candidate_loses_its_traffic_before_its_bundle(scene: Scene, bad_at: int) -> None:
    target, version = scene.make_target("Knative"), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(25, 100), pause=STEPS)
    scene.until_at_step(rollout, bad_at)
    scene.kserve.hold(target)  # the old bundle's new revision takes its time
    scene.pods[version].change(error_share=0.5)
    status = scene.until_completed(rollout)
    assert seconds_to_roll_back(status) < 30
    assert shares(scene, target) == {f"{target}-predictor-00001": 100}
    scene.kserve.release(target)
    status = scene.until_ended(rollout)
    assert (status.phase, status.reason) == (Phase.FAILED, "GuardrailTripped")
    assert scene.served(target) == storage_uri(STABLE) and "canaryTrafficPercent" not in predictor(scene, target)
    until(lambda: shares(scene, target) == {f"{target}-predictor-00003": 100}, "all traffic on the old bundle's new revision")
