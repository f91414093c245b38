"""Good candidates, from their Rollout to the target's own bundle."""

from endcap.contracts.rollout import Phase
from endcap.release.rollout.api_server import HTTP_ROUTES
from tests.cluster.command import Command
from tests.cluster.rollouts.scene import CANDIDATE_COLLECTION, Scene, opened_registry
from tests.cluster.rollouts.targets import http_route, storage_uri
from tests.waiting import until


def test_a_good_candidate_takes_every_step_and_becomes_the_stable_version(scene: Scene, kubectl: Command) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version)
    for index, weight in enumerate((5, 50)):
        scene.until_at_step(rollout, index)
        assert scene.weights(target) == {f"{target}-predictor": 100 - weight, f"{target}-candidate-predictor": weight}
        assert scene.served(target) == storage_uri(1) and scene.served(f"{target}-candidate") == storage_uri(version)
    status = scene.until_ended(rollout)
    assert (status.phase, status.reason) == (Phase.SUCCEEDED, "Promoted")
    assert scene.served(target) == storage_uri(version)
    assert scene.weights(target) == {f"{target}-predictor": 100}
    assert scene.service(f"{target}-candidate") is None
    assert scene.alias() == CANDIDATE_COLLECTION
    _assert_said(scene, kubectl, rollout, version)


def _assert_said(scene: Scene, kubectl: Command, rollout: str, version: int) -> None:
    """Registry, Events, printed columns, and nothing left on the resource but its status."""
    champion = opened_registry(scene.mlflow_uri).get_model_version_by_alias("endcap", "champion")
    assert champion.tags["endcap.bundle"] == str(version)
    assert {"Started", "Step1", "Step2", "Step3", "Promoted"} <= set(scene.events(rollout))
    printed = kubectl("get", "ecro", rollout, "--namespace", scene.namespace)
    assert ["Succeeded", "2", "0", str(version), "Promoted"] == printed.splitlines()[1].split()[1:6]
    # The finalizer goes by a write of its own, after the one that says that the rollout has ended.
    until(lambda: not scene.rollout(rollout).has_finalizer, "no finalizer")
    assert scene.rollout(rollout).requested_action is None


def test_other_rules_of_the_route_stay_as_they_are(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    route = scene.server.get(HTTP_ROUTES, target)
    assert route is not None
    before = route["spec"]["rules"][0]
    assert before["name"] == http_route(target)["spec"]["rules"][0]["name"]
    rollout = scene.start(target, version, weights=(30,))
    scene.until_at_step(rollout, 0)
    route = scene.server.get(HTTP_ROUTES, target)
    assert route is not None
    assert route["spec"]["rules"][0] == before
    assert [rule["name"] for rule in route["spec"]["rules"]] == ["variant-green", "traffic"]
    scene.ask(rollout, "abort")


def test_two_candidates_at_once_take_their_turns(scene: Scene) -> None:
    target, first, second = scene.make_target(), scene.version(), scene.version()
    for version in (first, second):
        scene.serve(version)
    names = [scene.start(target, version, weights=(100,)) for version in (first, second)]
    waiting = scene.until(names[1], "in line", phase=Phase.WAITING, reason="Queued")
    assert names[0] in waiting.message
    assert scene.until_ended(names[0]).phase == Phase.SUCCEEDED
    status = scene.until_ended(names[1])
    assert status.phase == Phase.SUCCEEDED
    assert status.stable is not None and status.stable.version == first
    assert scene.served(target) == storage_uri(second)
