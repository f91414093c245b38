"""Pods that the candidate needs for its share, and those that the target keeps; in Standard mode."""

import pytest

from endcap.contracts.rollout import Action, Pause, Phase
from endcap_rollout_operator.state import effects as fx
from tests.services.rollout_operator.state.made_cluster import OLD, TICK, MadeCluster, made_rollout, made_spec

LONG = Pause(duration="1h")


def at_step(made: MadeCluster, index: int) -> bool:
    return made.status.current_step_index == index and made.status.step_started_at is not None


class Watched(MadeCluster):
    """Notes the pods on each side whenever a weight is set."""

    seen: list[tuple[int, int, int]]

    def _carry_out(self, effect: fx.Effect) -> None:
        if isinstance(effect, fx.SetWeight):
            self.seen = [*getattr(self, "seen", []), (effect.weight, self.candidate_pods, self.stable_pods)]
        super()._carry_out(effect)


@pytest.mark.parametrize(
    ("stable", "own_minimum", "weights", "pods"),
    [
        (2, 1, (50, 100), [2, 4]),
        (4, 2, (5, 50, 100), [2, 3, 7]),
        (1, 1, (5, 100), [1, 2]),
        (10, 3, (1, 25, 25, 100), [3, 4, 4, 14]),
        (3, 0, (100,), [4]),
    ],
)
def test_no_step_begins_before_the_candidate_has_its_share_of_all_pods(
    stable: int, own_minimum: int, weights: tuple[int, ...], pods: list[int]
) -> None:
    made = Watched(made_rollout(made_spec(*weights)), stable_pods=stable, stable_min=own_minimum)
    made.run_to_end()
    assert made.status.phase == Phase.SUCCEEDED
    assert [(weight, candidate) for weight, candidate, _ in made.seen if weight] == list(zip(weights, pods, strict=True))


def test_the_candidate_is_never_given_more_pods_than_its_bound() -> None:
    made = Watched(made_rollout(made_spec(50, 100)), stable_pods=5, stable_min=2, max_replicas=6).run_to_end()
    assert made.status.phase == Phase.SUCCEEDED
    assert [candidate for weight, candidate, _ in made.seen if weight] == [4, 6]


def test_a_step_waits_for_pods_that_come_one_by_one_and_each_moves_the_deadline() -> None:
    made = MadeCluster(made_rollout(made_spec(5, 100, deadline=60)), stable_pods=5).run(lambda made: at_step(made, 0))
    made.candidate_pods_max = 1
    made.run(lambda made: made.candidate_min == 6)
    for available in (2, 3, 4, 5):
        made.pass_time(11)  # 55 s: within the deadline since the last pod
        assert (made.status.phase, made.weight) == (Phase.PROGRESSING, 5), made.status.message
        assert "6 available pods of the candidate for 100 % of the traffic" in made.status.message
        made.candidate_pods_max = available
    made.candidate_pods_max = 6
    assert made.run_to_end().status.phase == Phase.SUCCEEDED


def test_a_step_whose_pods_do_not_come_is_rolled_back_at_the_deadline() -> None:
    made = MadeCluster(made_rollout(made_spec(5, 100, deadline=60)), stable_pods=5, candidate_pods_max=2).run(lambda made: at_step(made, 0))
    made.run(lambda made: made.candidate_min == 6)
    before = made.now
    made.run(lambda made: made.status.phase == Phase.ROLLING_BACK)
    assert made.status.reason == "ProgressDeadlineExceeded" and "2 so far" in made.status.message
    assert 60 < (made.now - before).total_seconds() <= 60 + 3 * TICK.total_seconds()
    assert made.run_to_end().served == OLD


def test_guardrails_are_asked_while_the_next_step_waits_for_pods() -> None:
    made = MadeCluster(made_rollout(made_spec(5, 100)), stable_pods=5, candidate_pods_max=1).run(lambda made: made.candidate_min == 6)
    made.verdict = lambda weight: "fail"
    assert made.run_to_end().status.reason == "GuardrailTripped"


def test_a_candidate_that_loses_a_pod_goes_on_when_it_is_back() -> None:
    made = MadeCluster(made_rollout(made_spec(50, 100, pause=LONG, deadline=60)), stable_pods=3, stable_min=3)
    made.run(lambda made: at_step(made, 0)).pass_time(100)
    made.candidate_pods_max = 2
    made.pass_time(11)
    assert made.status.phase == Phase.PROGRESSING and "2 so far" in made.status.message
    made.candidate_pods_max = 100
    made.pass_time(100)
    assert (made.status.phase, made.weight) == (Phase.PROGRESSING, 50)
    made.candidate_pods_max = 2
    made.run(lambda made: made.status.phase == Phase.ROLLING_BACK, ticks_max=14)
    assert made.status.reason == "ProgressDeadlineExceeded"


def test_a_candidate_without_any_pod_is_rolled_back_after_seconds() -> None:
    made = MadeCluster(made_rollout(made_spec(50, 100, pause=LONG)), stable_pods=3).run(lambda made: at_step(made, 0))
    made.candidate_pods_max = 0
    made.pass_time(3)
    assert made.status.phase == Phase.PROGRESSING
    made.run(lambda made: made.weight == 0, ticks_max=2)
    assert made.status.reason == "CandidateNotReady"


def test_promote_waits_for_the_pods_of_all_traffic() -> None:
    made = Watched(made_rollout(made_spec(5, 25, 100, pause=LONG)), stable_pods=4, candidate_pods_max=1).run(lambda made: at_step(made, 0))
    made.request(Action.PROMOTE)
    made.pass_time(5)
    assert (made.weight, made.candidate_min, made.status.phase) == (5, 5, Phase.PROGRESSING)
    made.candidate_pods_max = 5
    assert made.run_to_end().status.phase == Phase.SUCCEEDED
    assert [seen[:2] for seen in made.seen] == [(5, 1), (100, 5), (0, 5)]


def test_the_target_keeps_the_most_pods_it_had_and_gets_its_own_minimum_back() -> None:
    made = MadeCluster(made_rollout(made_spec(5, 50, 100, pause=Pause(duration="60s"))), stable_pods=3, stable_min=2)
    made.run(lambda made: at_step(made, 0))
    assert (made.stable_min, made.status.held_replicas, made.status.stable_replicas) == (3, 3, 2)
    made.stable_pods = 6
    made.run(lambda made: at_step(made, 1))
    made.stable_pods = 4
    made.run(lambda made: at_step(made, 2))
    assert (made.stable_min, made.status.stable_replicas) == (6, 2)
    made.run_to_end()
    assert (made.stable_min, made.is_held, made.status.phase) == (2, False, Phase.SUCCEEDED)


@pytest.mark.parametrize("own", [None, 1, 2])
def test_a_rollback_gives_the_target_its_own_minimum_back_too(own: int | None) -> None:
    made = MadeCluster(made_rollout(), stable_pods=3, stable_min=own, verdict=lambda weight: "fail" if weight == 50 else "pass")
    made.run_to_end()
    assert (made.stable_min, made.is_held, made.status.phase) == (own, False, Phase.FAILED)


def test_a_target_whose_own_minimum_suffices_is_not_written_to() -> None:
    made = MadeCluster(made_rollout(), stable_pods=3, stable_min=3).run_to_end()
    assert not [effect for effect in made.done if isinstance(effect, fx.HoldReplicas | fx.ReleaseReplicas)]
    assert made.status.held_replicas is None


def test_a_minimum_that_a_person_gave_the_target_meanwhile_stays() -> None:
    made = MadeCluster(made_rollout(made_spec(50, 100)), stable_pods=3, stable_min=1).run(lambda made: at_step(made, 0))
    made.stable_min, made.is_held = 8, False
    made.run_to_end()
    assert (made.status.phase, made.stable_min) == (Phase.SUCCEEDED, 8)
    made = MadeCluster(made_rollout(made_spec(50, 100)), stable_pods=3, stable_min=1).run(lambda made: at_step(made, 0))
    made.stable_min, made.is_held = 2, False
    made.run_to_end()
    assert (made.status.phase, made.stable_min, made.status.stable_replicas) == (Phase.SUCCEEDED, 2, 2)


def test_the_target_is_held_at_what_its_bound_allows() -> None:
    made = MadeCluster(made_rollout(), stable_pods=5, stable_min=2, max_replicas=4).run(lambda made: at_step(made, 0))
    assert made.stable_min == 4


def test_raised_replicas_are_no_edit_and_a_persons_are() -> None:
    made = MadeCluster(made_rollout(made_spec(50, 100, pause=LONG)), stable_pods=4).run(lambda made: at_step(made, 0))
    made.pass_time(5)
    assert (made.candidate_min, made.status.phase) == (3, Phase.PROGRESSING)
    made.candidate_min = 2
    made.pass_time()
    assert made.status.reason == "EditedByHand" and "minReplicas" in made.status.message
    made.request(Action.RESUME)
    made.pass_time(5)
    assert (made.candidate_min, made.status.phase) == (2, Phase.PROGRESSING)
    made.request(Action.PROMOTE)
    made.run_to_end()
    assert made.status.phase == Phase.SUCCEEDED


def test_a_weight_that_a_person_set_gets_its_pods_after_it_was_adopted() -> None:
    made = MadeCluster(made_rollout(made_spec(5, 100, pause=LONG)), stable_pods=4).run(lambda made: at_step(made, 0))
    made.weight = 80
    made.pass_time()
    made.request(Action.RESUME)
    made.pass_time()
    assert (made.status.current_weight, made.candidate_min) == (80, 4)


def test_a_slow_start_does_not_count_from_before_the_candidate_was_made() -> None:
    made = MadeCluster(made_rollout(made_spec(deadline=60)), collection="missing", candidate_pods_max=0)
    made.pass_time(10)
    made.collection = "loaded"
    made.pass_time(9)
    assert (made.status.phase, made.has_candidate) == (Phase.INITIALIZING, True)
    made.candidate_pods_max = 100
    assert made.run_to_end().status.phase == Phase.SUCCEEDED


def test_traffic_stays_where_pods_are_until_the_target_has_one() -> None:
    made = MadeCluster(made_rollout(made_spec(50, 100, pause=LONG)), stable_pods=2).run(lambda made: at_step(made, 0))
    made.stable_pods, made.verdict = 0, lambda weight: "fail"
    made.pass_time(20)
    assert (made.status.phase, made.weight) == (Phase.ROLLING_BACK, 50)
    assert "the candidate keeps the traffic until the target has an available pod" in made.status.message
    made.stable_pods = 1
    made.run_to_end()
    assert (made.status.reason, made.weight, made.has_candidate) == ("GuardrailTripped", 0, False)
