"""What persons ask for by the action annotation."""

from datetime import timedelta

import pytest

from endcap.contracts.rollout import Action, Pause, Phase
from endcap_rollout_operator.state import effects as fx
from endcap_rollout_operator.state.observed_state import Mode
from tests.services.rollout_operator.state.made_cluster import OLD, MadeCluster, made_rollout, made_spec

MODES = pytest.mark.parametrize("mode", ["Standard", "Knative"])


def at_step(made: MadeCluster, index: int) -> bool:
    return made.status.current_step_index == index and made.status.step_started_at is not None


def test_a_pause_stops_the_steps_clock() -> None:
    made = MadeCluster(made_rollout(made_spec(5, 100, pause=Pause(duration="60s")))).run(lambda made: at_step(made, 0))
    made.pass_time(4)
    made.request(Action.PAUSE)
    made.pass_time(100)
    assert (made.status.phase, made.status.reason, made.weight) == (Phase.PAUSED, "Requested", 5)
    made.request(Action.RESUME)
    made.pass_time(4)
    assert made.status.current_step_index == 0, "20 s before the pause and 15 s after it are no minute"
    made.run(lambda made: made.status.current_step_index == 1, ticks_max=6)


def test_a_guardrail_trips_while_paused_too() -> None:
    made = MadeCluster(made_rollout()).run(lambda made: at_step(made, 0))
    made.request(Action.PAUSE)
    made.pass_time(2)
    made.verdict = lambda weight: "fail"
    made.run(lambda made: made.weight == 0, ticks_max=3)
    assert made.status.reason == "GuardrailTripped"


def test_a_pause_of_a_starting_candidate_moves_its_deadline() -> None:
    made = MadeCluster(made_rollout(made_spec(deadline=60)), candidate_is_ready=False)
    made.pass_time(6)
    made.request(Action.PAUSE)
    made.pass_time(60)
    made.request(Action.RESUME)
    made.candidate_is_ready = True
    assert made.run_to_end().status.phase == Phase.SUCCEEDED


def test_a_step_without_duration_and_requests_waits_for_a_person_each_time() -> None:
    made = MadeCluster(made_rollout(made_spec(5, 50, 100, pause=Pause())))
    for index in (0, 1, 2):
        made.run(lambda made, index=index: made.status.phase == Phase.PAUSED and at_step(made, index))  # type: ignore[misc]
        made.pass_time(20)
        assert (made.status.reason, made.status.current_step_index) == ("Step", index)
        made.request(Action.RESUME)
    assert made.run_to_end().status.phase == Phase.SUCCEEDED


def test_a_resumed_step_still_needs_its_guardrails() -> None:
    made = MadeCluster(made_rollout(made_spec(5, 100, pause=Pause())), verdict=lambda weight: "missing")
    made.run(lambda made: made.status.phase == Phase.PAUSED)
    made.request(Action.RESUME)
    made.pass_time(30)
    assert (made.status.phase, made.status.current_step_index) == (Phase.PROGRESSING, 0)


@MODES
@pytest.mark.parametrize("index", [0, 1, 2])
def test_an_abort_rolls_back(mode: Mode, index: int) -> None:
    made = MadeCluster(made_rollout(), mode=mode).run(lambda made: at_step(made, index))
    made.request(Action.ABORT)
    made.run_to_end()
    assert (made.status.phase, made.status.reason, made.served, made.alias) == (Phase.FAILED, "Aborted", OLD, OLD.collection)
    assert made.rollout.requested_action is None


def test_an_abort_in_line_ends_it_without_touching_anything() -> None:
    made = MadeCluster(made_rollout(), ahead="endcap-1")
    made.pass_time()
    made.request(Action.ABORT)
    made.pass_time()
    assert (made.status.phase, made.has_candidate, made.rollout.has_finalizer) == (Phase.FAILED, False, False)


@MODES
def test_promote_skips_steps_and_time_but_no_guardrail(mode: Mode) -> None:
    made = MadeCluster(made_rollout(made_spec(5, 50, 100, pause=Pause(duration="1h"))), mode=mode).run(lambda made: at_step(made, 0))
    made.request(Action.PROMOTE)
    begun = made.now
    made.run_to_end()
    assert made.status.phase == Phase.SUCCEEDED and made.now - begun < timedelta(minutes=2)
    made = MadeCluster(made_rollout(), mode=mode).run(lambda made: at_step(made, 0))
    made.verdict = lambda weight: "fail" if weight == 100 else "pass"
    made.request(Action.PROMOTE)
    assert made.run_to_end().status.reason == "GuardrailTripped"


def test_promote_while_paused_and_while_starting_is_taken() -> None:
    made = MadeCluster(made_rollout(made_spec(5, 100, pause=Pause()))).run(lambda made: made.status.phase == Phase.PAUSED)
    made.request(Action.PROMOTE)
    assert made.run_to_end().status.phase == Phase.SUCCEEDED
    made = MadeCluster(made_rollout(), candidate_is_ready=False)
    made.pass_time(2)
    made.request(Action.PROMOTE)
    made.pass_time()
    made.candidate_is_ready = True
    made.run_to_end()
    assert [effect.weight for effect in made.done if isinstance(effect, fx.SetWeight)] == [100, 0]


def test_a_word_that_is_no_action_is_said_and_taken_off() -> None:
    made = MadeCluster(made_rollout()).run(lambda made: at_step(made, 0))
    made.request("hurry")
    made.pass_time()
    assert (made.events, made.rollout.requested_action, made.status.phase) == (["ActionUnknown"], None, Phase.PROGRESSING)


def test_an_ended_rollout_takes_no_action() -> None:
    made = MadeCluster(made_rollout()).run_to_end()
    made.request(Action.ABORT)
    made.pass_time()
    assert (made.rollout.requested_action, made.status.phase) == (None, Phase.SUCCEEDED)
