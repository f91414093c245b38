"""Persons and other programs that change what the operator works on."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from endcap.contracts.rollout import Pause, Phase, RolloutBundle
from endcap.release.rollout.api_server import HTTP_ROUTES, INFERENCE_SERVICES, ApiServer, Conflict
from endcap_rollout_operator.kserve.traffic import Traffic, look_at
from tests.cluster.rollouts.scene import CANDIDATE_COLLECTION, Scene
from tests.cluster.rollouts.targets import storage_uri

LONG = Pause(duration="10m")


def other_weight(scene: Scene, target: str) -> dict[str, int]:
    route = scene.server.get(HTTP_ROUTES, target)
    assert route is not None
    rule = next(rule for rule in route["spec"]["rules"] if rule["name"] == "traffic")
    for backend, weight in zip(rule["backendRefs"], (70, 30), strict=True):
        backend["weight"] = weight
    scene.server.merge(HTTP_ROUTES, target, {"spec": {"rules": route["spec"]["rules"]}})
    return {f"{target}-predictor": 70, f"{target}-candidate-predictor": 30}


def other_bundle(scene: Scene, target: str) -> dict[str, int]:
    scene.server.merge(INFERENCE_SERVICES, target, {"spec": {"predictor": {"model": {"storageUri": storage_uri(77)}}}})
    return scene.weights(target) if scene.server.get(HTTP_ROUTES, target) is not None else {}


def other_percent(scene: Scene, target: str) -> None:
    scene.server.merge(INFERENCE_SERVICES, target, {"spec": {"predictor": {"canaryTrafficPercent": 33}}})


def other_predictor(scene: Scene, target: str) -> dict[str, int]:
    scene.server.merge(INFERENCE_SERVICES, f"{target}-candidate", {"spec": {"predictor": {"minReplicas": 2}}})
    return scene.weights(target)


@pytest.mark.parametrize("edit", [other_weight, other_bundle, other_predictor])
def test_an_edit_by_hand_is_said_and_left_alone(scene: Scene, edit: Any) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(20, 100), pause=LONG)
    scene.until_at_step(rollout, 0)
    weights = edit(scene, target)
    served = scene.served(target)
    status = scene.until(rollout, "notice of the edit", phase=Phase.PAUSED, reason="EditedByHand")
    scene.pods[version].change(error_share=0.5)
    assert scene.until_measured(rollout, 4).phase == Phase.PAUSED
    assert (scene.weights(target), scene.served(target)) == (weights, served)
    assert [each.status for each in status.conditions if each.type == "EditedByHand"] == ["True"]
    assert "EditedByHand" in scene.events(rollout)
    assert scene.metric(f'endcap_rollout_manual_edits_total{{target="{target}"}}') == 1
    scene.ask(rollout, "abort")
    assert scene.until_completed(rollout).reason == "Aborted"
    assert scene.weights(target) == {f"{target}-predictor": 100}


def test_resume_takes_an_edit_over(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(20, 100), pause=Pause(duration="2s"))
    scene.until_at_step(rollout, 0)
    other_weight(scene, target)
    scene.until(rollout, "notice of the edit", phase=Phase.PAUSED, reason="EditedByHand")
    scene.ask(rollout, "resume")
    scene.until(rollout, "the edit as the step's weight", current_weight=30, phase=Phase.PROGRESSING)
    assert scene.until_ended(rollout).phase == Phase.SUCCEEDED


def test_a_program_that_keeps_changing_the_route_neither_loses_its_changes_nor_stops_the_rollout(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    stopped, written = threading.Event(), [0]

    def keep_changing() -> None:
        with scene.cluster.api_client() as api_client:
            server = ApiServer(api_client, scene.namespace)
            while not stopped.is_set():
                written[0] += 1
                annotations = {"example.com/number": str(written[0])}
                server.merge(HTTP_ROUTES, target, {"metadata": {"annotations": annotations}})

    other = threading.Thread(target=keep_changing)
    other.start()
    try:
        rollout = scene.start(target, version, weights=(10, 100), pause=Pause(duration="1s"))
        status = scene.until_ended(rollout, within_s=90)
    finally:
        stopped.set()
        other.join()
    assert (status.phase, scene.weights(target)) == (Phase.SUCCEEDED, {f"{target}-predictor": 100})
    route = scene.server.get(HTTP_ROUTES, target)
    assert route is not None and route["metadata"]["annotations"]["example.com/number"] == str(written[0])


def _set_weight(traffic: Traffic) -> None:
    traffic.set_weight(50)


def _promote(traffic: Traffic) -> None:
    traffic.promote_stable(RolloutBundle(version=88, storage_uri=storage_uri(88), collection=CANDIDATE_COLLECTION))


@pytest.mark.parametrize(
    ("mode", "edit", "act"),
    [
        ("Standard", other_weight, _set_weight),
        ("Standard", other_bundle, _promote),
        ("Knative", other_percent, _set_weight),
        ("Knative", other_bundle, _set_weight),
    ],
)
def test_an_edit_between_a_look_and_its_effect_wins(scene: Scene, mode: str, edit: Any, act: Callable[[Traffic], None]) -> None:
    target, version = scene.make_target(mode), scene.version()
    rollout = scene.start(target, version, weights=(20, 100), pause=LONG)
    scene.until_at_step(rollout, 0)
    traffic = look_at(scene.server, scene.rollout(rollout))
    edit(scene, target)
    edited = scene.service(target), scene.server.get(HTTP_ROUTES, target)
    with pytest.raises(Conflict):
        act(traffic)
    found = scene.service(target), scene.server.get(HTTP_ROUTES, target)
    assert [each and each["spec"] for each in found] == [each and each["spec"] for each in edited]
    scene.until(rollout, "notice of the edit", phase=Phase.PAUSED, reason="EditedByHand")
    scene.ask(rollout, "abort")
