"""What persons ask for, on the live API server."""

from endcap.contracts.rollout import Pause, Phase
from endcap.release.rollout.api_server import ROLLOUTS
from tests.cluster.rollouts.scene import STABLE, Scene, seconds_to_roll_back
from tests.cluster.rollouts.targets import storage_uri
from tests.waiting import until

LONG = Pause(duration="10m")


def test_pause_holds_and_resume_goes_on(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(10, 100), pause=Pause(duration="5s"))
    scene.until_at_step(rollout, 0)
    scene.ask(rollout, "pause")
    scene.until(rollout, "paused", phase=Phase.PAUSED, reason="Requested")
    until(lambda: scene.rollout(rollout).requested_action is None, "the annotation is taken off")
    status = scene.until_measured(rollout, 8)  # a second apart: longer than the step would last
    assert status.phase == Phase.PAUSED
    assert scene.weights(target)[f"{target}-candidate-predictor"] == 10
    scene.ask(rollout, "resume")
    assert scene.until_at_step(rollout, 1).step_held_seconds == 0
    scene.ask(rollout, "abort")


def test_abort_rolls_back(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    rollout = scene.start(target, version, pause=LONG)
    scene.until_at_step(rollout, 0)
    scene.ask(rollout, "abort")
    status = scene.until_ended(rollout)
    assert (status.phase, status.reason) == (Phase.FAILED, "Aborted")
    assert seconds_to_roll_back(status) < 30
    assert scene.weights(target) == {f"{target}-predictor": 100}


def test_promote_skips_the_steps_that_are_left(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(1, 5, 25, 100), pause=LONG)
    scene.until_at_step(rollout, 0)
    scene.ask(rollout, "promote")
    assert scene.until_ended(rollout).phase == Phase.SUCCEEDED
    assert scene.served(target) == storage_uri(version)


def test_a_rollout_that_is_deleted_in_progress_rolls_back_before_it_goes(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    rollout = scene.start(target, version, pause=LONG)
    scene.until_at_step(rollout, 0)
    scene.server.delete(ROLLOUTS, rollout)
    until(lambda: scene.server.get(ROLLOUTS, rollout) is None, "the Rollout is gone", 60)
    assert scene.weights(target) == {f"{target}-predictor": 100}
    assert scene.served(target) == storage_uri(STABLE)
    assert scene.service(f"{target}-candidate") is None
