"""The operator dies, and the API server goes away, in the middle of a step."""

import time

from endcap.contracts.rollout import Pause, Phase
from tests.cluster.rollouts.scene import Scene
from tests.waiting import until

AWAY_S = 20.0


def test_an_operator_that_is_killed_goes_on_where_it_was(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(5, 100), pause=Pause(duration="4s", min_requests=50))
    before = scene.until_at_step(rollout, 0)
    scene.operator.kill()
    assert scene.weights(target) == {f"{target}-predictor": 95, f"{target}-candidate-predictor": 5}
    scene.operator.start()
    after = scene.status(rollout)
    if after.current_step_index == 0:
        assert after.step_started_at == before.step_started_at
    assert scene.until_ended(rollout).phase == Phase.SUCCEEDED
    assert scene.events(rollout).count("Step1") == 1, "the successor recorded again what was recorded"


def test_an_operator_that_is_asked_to_go_ends_well_and_leaves_all_as_it_is(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    rollout = scene.start(target, version, weights=(5, 100), pause=Pause(duration="10m"))
    scene.until_at_step(rollout, 0)
    assert scene.operator.stop() == 0
    assert scene.weights(target) == {f"{target}-predictor": 95, f"{target}-candidate-predictor": 5}
    scene.operator.start()
    scene.ask(rollout, "abort")
    assert scene.until_completed(rollout).reason == "Aborted"


def test_an_api_server_that_is_away_delays_and_nothing_more(scene: Scene) -> None:
    target, version = scene.make_target(), scene.version()
    scene.serve(version)
    rollout = scene.start(target, version, weights=(5, 100), pause=Pause(duration="10m"))
    before = scene.until_at_step(rollout, 0)
    scene.cluster.stop_api_server()
    try:
        back_at = time.monotonic() + AWAY_S
        while time.monotonic() < back_at:
            assert scene.operator.is_well()
    finally:
        scene.cluster.start_api_server()
    measured_at = scene.status(rollout).measured_at
    status = until(lambda: (seen := scene.status(rollout)).measured_at != measured_at and seen, "the next look", 30)
    assert (status.current_step_index, status.step_started_at) == (0, before.step_started_at)
    scene.ask(rollout, "promote")
    assert scene.until_ended(rollout).phase == Phase.SUCCEEDED
    assert scene.operator.is_well()
