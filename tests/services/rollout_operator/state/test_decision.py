"""Rollouts from their start to their end, in both modes, on a made cluster."""

from dataclasses import replace
from datetime import timedelta

import pytest

from endcap.contracts.rollout import Action, Guardrail, Pause, Phase
from endcap_rollout_operator.state import effects as fx
from endcap_rollout_operator.state.observed_state import Mode, ObservedState
from tests.services.rollout_operator.state.made_cluster import NEW, OLD, MadeCluster, made_rollout, made_spec, served

MODES = pytest.mark.parametrize("mode", ["Standard", "Knative"])


def at_step(made: MadeCluster, index: int) -> bool:
    return made.status.current_step_index == index and made.status.step_started_at is not None


@MODES
def test_a_good_candidate_takes_every_step_and_is_promoted(mode: Mode) -> None:
    made = MadeCluster(made_rollout(), mode=mode).run_to_end()
    assert (made.status.phase, made.status.reason) == (Phase.SUCCEEDED, "Promoted")
    assert (made.served, made.alias, made.champion) == (served(NEW), NEW.collection, 2)
    assert not made.has_candidate and made.percent is None and made.weight == 0
    weights = [effect.weight for effect in made.done if isinstance(effect, fx.SetWeight)]
    assert weights == ([5, 50, 100, 0] if mode == "Standard" else [5, 50, 100])


@MODES
@pytest.mark.parametrize("broken_at", [5, 50, 100])
def test_a_guardrail_that_trips_rolls_back_whatever_the_step(mode: Mode, broken_at: int) -> None:
    made = MadeCluster(made_rollout(), mode=mode, verdict=lambda weight: "fail" if weight == broken_at else "pass").run_to_end()
    assert (made.status.phase, made.status.reason) == (Phase.FAILED, "GuardrailTripped")
    assert made.status.tripped is not None and made.status.tripped.value == 0.5
    assert (made.served, made.alias, made.champion, made.weight, made.percent, made.has_candidate) == (
        OLD,
        OLD.collection,
        1,
        0,
        None,
        False,
    )
    assert made.status.decided_at is not None and made.status.completed_at is not None
    assert made.status.completed_at - made.status.decided_at <= timedelta(seconds=5)


@MODES
def test_a_guardrail_without_data_neither_moves_on_nor_rolls_back(mode: Mode) -> None:
    made = MadeCluster(made_rollout(), mode=mode, verdict=lambda weight: "missing")
    made.pass_time(200)
    assert (made.status.phase, made.status.current_weight) == (Phase.PROGRESSING, 5)
    assert "errors to have data" in made.status.message
    made.verdict = lambda weight: "pass"
    assert made.run_to_end().status.phase == Phase.SUCCEEDED


def test_a_failure_within_its_limit_holds_the_step_and_the_next_one_rolls_back() -> None:
    patient = made_spec(guardrails=[Guardrail(name="errors", query="errors", limit=0.01, failure_limit=2)])
    verdicts = ["fail", "fail", "pass"]
    made = MadeCluster(made_rollout(patient), verdict=lambda weight: verdicts.pop(0) if verdicts else "pass")
    assert made.run_to_end().status.phase == Phase.SUCCEEDED
    made = MadeCluster(made_rollout(patient), verdict=lambda weight: "fail").run_to_end()
    assert made.status.tripped is not None and made.status.tripped.failures == 3


def test_a_step_lasts_until_the_requests_have_come() -> None:
    made = MadeCluster(made_rollout(), requests_per_second=0)
    made.pass_time(100)
    assert (made.status.current_step_index, made.status.phase) == (0, Phase.PROGRESSING)
    assert "100 requests (0 so far)" in made.status.message
    made.requests_per_second = 50
    assert made.run_to_end().status.phase == Phase.SUCCEEDED


def test_steps_that_end_lower_get_one_with_all_traffic() -> None:
    made = MadeCluster(made_rollout(made_spec(10, 20))).run_to_end()
    assert [effect.weight for effect in made.done if isinstance(effect, fx.SetWeight)] == [10, 20, 100, 0]


def test_a_step_of_weight_0_asks_no_guardrail() -> None:
    made = MadeCluster(made_rollout(made_spec(0, 100, pause=Pause(duration="20s"))), verdict=lambda weight: "pass" if weight else "missing")
    assert made.run_to_end().status.phase == Phase.SUCCEEDED


def test_an_older_rollout_of_the_target_goes_first() -> None:
    made = MadeCluster(made_rollout(), ahead="endcap-1")
    made.pass_time(10)
    assert (made.status.phase, made.status.message) == (Phase.WAITING, "waits for endcap-1 to end")
    assert made.done == []
    made.ahead = None
    assert made.run_to_end().status.phase == Phase.SUCCEEDED


def test_a_target_that_serves_the_bundle_already_is_left_alone() -> None:
    made = MadeCluster(made_rollout(), served=served(NEW)).run_to_end()
    assert (made.status.phase, made.status.reason) == (Phase.SUCCEEDED, "AlreadyServed")
    assert not [effect for effect in made.done if isinstance(effect, fx.SetWeight | fx.EnsureCandidate)]


@MODES
def test_a_candidate_that_does_not_get_ready_never_gets_traffic(mode: Mode) -> None:
    made = MadeCluster(made_rollout(), mode=mode, candidate_is_ready=False).run_to_end()
    assert (made.status.phase, made.status.reason) == (Phase.FAILED, "ProgressDeadlineExceeded")
    assert not [effect for effect in made.done if isinstance(effect, fx.SetWeight) and effect.weight > 0]
    assert (made.served, made.percent, made.has_candidate) == (OLD, None, False)


def test_a_candidate_does_not_start_before_its_collection_is_there_and_loaded() -> None:
    made = MadeCluster(made_rollout(), collection="missing")
    made.pass_time(3)
    assert (made.status.reason, made.has_candidate) == ("CollectionMissing", False)
    made.collection = "unloaded"
    assert made.run_to_end().status.phase == Phase.SUCCEEDED
    assert fx.LoadCollection(NEW.collection) in made.done


@MODES
def test_a_candidate_that_stays_unready_with_traffic_is_rolled_back(mode: Mode) -> None:
    made = MadeCluster(made_rollout(), mode=mode).run(lambda made: at_step(made, 1))
    made.candidate_is_ready = False
    made.pass_time(2)
    assert made.status.phase == Phase.PROGRESSING
    assert made.run_to_end().status.reason == "CandidateNotReady"


def test_a_candidate_that_was_deleted_is_rolled_back_at_once() -> None:
    made = MadeCluster(made_rollout()).run(lambda made: at_step(made, 1))
    made.has_candidate = False
    made.pass_time()
    assert (made.status.reason, made.weight) == ("CandidateGone", 0)


def test_a_target_that_is_gone_ends_the_rollout() -> None:
    made = MadeCluster(made_rollout()).run(lambda made: at_step(made, 1))
    made.is_gone = True
    assert made.run_to_end().status.reason == "TargetMissing"


@MODES
def test_a_deleted_rollout_rolls_back_before_it_goes(mode: Mode) -> None:
    made = MadeCluster(made_rollout(), mode=mode).run(lambda made: at_step(made, 1))
    made.rollout = replace(made.rollout, is_deleting=True)
    made.run_to_end()
    assert (made.finalizer_removed, made.served, made.weight, made.percent) == (True, OLD, 0, None)
    assert made.status.reason == "Deleted"


@MODES
def test_a_rollback_waits_for_milvus_but_the_traffic_does_not(mode: Mode) -> None:
    made = MadeCluster(made_rollout(), mode=mode).run(lambda made: at_step(made, 1))
    made.has_milvus, made.verdict = False, lambda weight: "fail"
    made.pass_time(5)
    assert (made.status.phase, made.status.completed_at) == (Phase.ROLLING_BACK, None)
    assert (made.weight or 0, made.percent or 0) == (0, 0)
    made.has_milvus = True
    assert made.run_to_end().status.phase == Phase.FAILED


def test_a_registry_that_does_not_follow_is_said_and_does_not_hold_the_rollout() -> None:
    class Unwilling(MadeCluster):
        def _carry_out(self, effect: fx.Effect) -> None:
            if not isinstance(effect, fx.MakeChampion):
                super()._carry_out(effect)

    made = Unwilling(made_rollout()).run_to_end()
    (condition,) = [each for each in made.status.conditions if each.type == "ChampionMoved"]
    assert (made.status.phase, condition.status) == (Phase.SUCCEEDED, "False")
    assert "champion is 1;" in condition.message


@pytest.mark.parametrize(
    ("champion_unknown", "message"),
    [("MLflow does not answer", "not known (MLflow does not answer)"), ("", "MLflow's champion is not set")],
)
def test_a_registry_that_does_not_answer_is_not_said_to_have_no_champion(champion_unknown: str, message: str) -> None:
    class Silent(MadeCluster):
        def observed(self) -> ObservedState:
            return replace(super().observed(), champion=None, champion_unknown=champion_unknown)

    made = Silent(made_rollout()).run_to_end()
    (condition,) = [each for each in made.status.conditions if each.type == "ChampionMoved"]
    assert condition.status == "False" and message in condition.message


@MODES
def test_an_abort_while_the_target_rolls_over_brings_the_old_bundle_back_first(mode: Mode) -> None:
    made = MadeCluster(made_rollout(), mode=mode).run(lambda made: at_step(made, 2))
    made.target_is_settled = False
    made.run(lambda made: made.status.promoting_at is not None)
    made.request(Action.ABORT)
    made.pass_time(3)
    assert made.weight == (100 if mode == "Standard" else 0)  # the candidate serves until the old bundle is ready
    made.target_is_settled = True
    made.run_to_end()
    assert (made.served, made.alias, made.status.reason) == (OLD, OLD.collection, "Aborted")
