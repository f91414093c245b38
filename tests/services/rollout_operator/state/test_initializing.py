"""A candidate whose model fails to load."""

import pytest

from endcap.contracts.rollout import Phase
from endcap_rollout_operator.state import effects as fx
from endcap_rollout_operator.state.observed_state import LoadFailure, Mode
from tests.services.rollout_operator.state.made_cluster import MadeCluster, made_rollout, made_spec

FAILURE = LoadFailure("ModelLoadFailed: no such file (exit code 1)")


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_it_is_said_at_once_and_rolled_back_after_a_minute(mode: Mode) -> None:
    made = MadeCluster(made_rollout(made_spec(deadline=900)), mode=mode, candidate_is_ready=False, load_failure=FAILURE)
    made.pass_time(2)
    assert (made.status.phase, made.status.reason) == (Phase.INITIALIZING, "CandidateLoadFailed")
    made.run_to_end(ticks_max=20)
    assert (made.status.phase, made.status.reason) == (Phase.FAILED, "CandidateLoadFailed")
    assert "no such file (exit code 1)" in made.status.message
    assert not [effect for effect in made.done if isinstance(effect, fx.SetWeight) and effect.weight > 0]


def test_two_restarts_of_its_container_are_enough() -> None:
    made = MadeCluster(made_rollout(), candidate_is_ready=False, load_failure=LoadFailure("ModelLoadFailed", restarts=1))
    made.pass_time(3)
    assert made.status.phase == Phase.INITIALIZING
    made.load_failure = LoadFailure("ModelLoadFailed", restarts=2)
    made.pass_time()
    assert (made.status.phase, made.status.reason) == (Phase.ROLLING_BACK, "CandidateLoadFailed")


def test_one_that_loads_in_time_goes_on() -> None:
    made = MadeCluster(made_rollout(), candidate_is_ready=False, load_failure=FAILURE)
    made.pass_time(8)
    made.load_failure = None
    made.pass_time(3)
    made.load_failure = FAILURE
    made.pass_time(8)
    assert (made.status.phase, made.status.reason) == (Phase.INITIALIZING, "CandidateLoadFailed")
    made.load_failure, made.candidate_is_ready = None, True
    assert made.run_to_end().status.phase == Phase.SUCCEEDED


def test_one_pod_that_fails_beside_one_that_serves_ends_nothing_before_the_deadline() -> None:
    made = MadeCluster(made_rollout(made_spec(50, 100, deadline=100)), stable_pods=3).run(lambda made: made.weight == 50)
    made.candidate_pods_max, made.load_failure = 1, LoadFailure("ModelLoadFailed", restarts=5)
    made.pass_time(15)
    assert made.status.phase == Phase.PROGRESSING
    assert made.run_to_end().status.reason == "ProgressDeadlineExceeded"


def test_one_that_cannot_be_guarded_is_refused_before_anything_is_done() -> None:
    made = MadeCluster(made_rollout(), refusal="steps[0].pause.duration: 10m is too short")
    made.run_to_end(ticks_max=20)
    assert (made.status.phase, made.status.reason) == (Phase.FAILED, "StepTooShort")
    assert "10m is too short" in made.status.message
    assert not [effect for effect in made.done if isinstance(effect, fx.EnsureCandidate | fx.SetWeight)]
