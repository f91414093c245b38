"""Good candidates, from their Rollout to the target's own bundle."""

from tests.cluster.rollouts.scene import Phase, Scene
from tests.cluster.rollouts.targets import storage_uri


def test_a_good_candidate_takes_every_step_and_becomes_the_stable_version(scene: Scene) -> None:
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
    assert scene.alias() == f"endcap_{version}"
