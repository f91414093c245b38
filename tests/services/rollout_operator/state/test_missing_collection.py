"""The stable version's collection is gone from Milvus: traffic first, then an end that says what restores it."""

from dataclasses import replace

import pytest

from endcap.contracts.rollout import Action, Pause, Phase
from endcap_rollout_operator.state import effects as fx
from endcap_rollout_operator.state.observed_state import Mode
from tests.services.rollout_operator.state.made_cluster import OLD, MadeCluster, made_rollout, made_spec

LONG = Pause(duration="1h")


def at_step(made: MadeCluster, index: int) -> bool:
    return made.status.current_step_index == index and made.status.step_started_at is not None


def in_progress(mode: Mode = "Standard", **fields: object) -> MadeCluster:
    """At half of the traffic, with the stable collection just dropped."""
    made = MadeCluster(made_rollout(made_spec(50, 100, pause=LONG)), mode=mode, stable_pods=2, **fields)  # type: ignore[arg-type]
    made.run(lambda made: at_step(made, 0))
    made.stable_collection, made.alias = "missing", None
    return made


def delete(made: MadeCluster) -> None:
    made.rollout = replace(made.rollout, is_deleting=True)


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_the_stable_version_gets_the_traffic_and_the_alias_is_left_alone(mode: Mode) -> None:
    made = in_progress(mode)
    made.request(Action.ABORT)
    made.run_to_end()
    assert (made.status.phase, made.status.reason) == (Phase.FAILED, "StableCollectionMissing")
    assert (made.weight, made.percent, made.alias, made.served) == (0, None, None, OLD)
    assert not made.has_candidate and made.stable_min == 1
    for part in ("aborted by a person", OLD.collection or "", "endcap bundle store 1", "endcap index build"):
        assert part in made.status.message
    assert not [effect for effect in made.done if isinstance(effect, fx.MoveAlias)]


def test_the_candidate_keeps_the_traffic_while_the_stable_version_has_no_pod() -> None:
    made = in_progress()
    made.stable_pods, made.verdict = 0, lambda weight: "fail"
    made.run(lambda made: made.rollout.has_ended)
    assert (made.status.reason, made.weight, made.has_candidate) == ("StableCollectionMissing", 50, True)
    assert "the candidate keeps the traffic until the target has an available pod" in made.status.message
    assert (made.status.current_weight, made.stable_min, made.is_held) == (50, 1, False)
    made.pass_time(50)
    assert (made.weight, made.rollout.has_finalizer) == (50, True)


def test_traffic_that_was_kept_returns_by_itself_when_the_stable_version_has_a_pod() -> None:
    made = in_progress()
    made.stable_pods = 0
    made.request(Action.ABORT)
    made.run(lambda made: made.rollout.has_ended)
    made.stable_pods = 1
    made.pass_time()
    assert (made.weight, made.has_candidate, made.status.current_weight) == (0, True, 0)
    assert "the traffic is back" in made.status.message
    made.run_to_end()
    assert (made.has_candidate, made.rollout.has_finalizer, made.status.phase) == (False, False, Phase.FAILED)


def test_a_deleted_rollout_leaves_its_candidate_the_traffic_and_goes() -> None:
    made = in_progress()
    made.stable_pods = 0
    delete(made)
    made.run_to_end()
    assert (made.finalizer_removed, made.weight, made.has_candidate, made.candidate_is_owned) == (True, 50, True, False)
    effects = [type(effect) for effect in made.done]
    assert effects.index(fx.OrphanCandidate) < effects.index(fx.RemoveFinalizer)


def test_a_deleted_rollout_with_a_stable_version_that_serves_goes() -> None:
    made = in_progress()
    delete(made)
    made.run_to_end()
    assert (made.finalizer_removed, made.weight, made.has_candidate) == (True, 0, False)


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_a_deleted_rollout_does_not_wait_for_milvus_for_ever(mode: Mode) -> None:
    made = in_progress(mode)
    made.has_milvus = False
    delete(made)
    made.pass_time(2)
    assert (made.weight, made.percent or 0, made.finalizer_removed) == (0, 0, False)
    made.run_to_end(ticks_max=40)
    assert made.finalizer_removed


def test_a_deleted_rollout_whose_target_never_serves_its_old_bundle_again_goes() -> None:
    made = MadeCluster(made_rollout(), stable_pods=2).run(lambda made: at_step(made, 2))
    made.target_is_settled = False
    made.run(lambda made: made.status.promoting_at is not None)
    delete(made)
    made.run_to_end()
    assert (made.served, made.weight, made.has_candidate, made.candidate_is_owned) == (OLD, 100, True, False)


def test_a_deleted_rollout_whose_route_cannot_be_written_leaves_the_candidate_behind() -> None:
    made = in_progress()
    made.stable_collection, made.weight_is_refused = "loaded", True
    delete(made)
    made.run_to_end()
    assert (made.weight, made.has_candidate, made.candidate_is_owned) == (50, True, False)


def test_a_missing_collection_while_the_target_rolls_over_ends_with_the_traffic_on_the_candidate() -> None:
    made = MadeCluster(made_rollout(), stable_pods=2).run(lambda made: at_step(made, 2))
    made.target_is_settled = False
    made.run(lambda made: made.status.promoting_at is not None)
    made.stable_collection = "missing"
    made.request(Action.ABORT)
    made.run(lambda made: made.rollout.has_ended)
    assert (made.status.reason, made.served, made.weight) == ("StableCollectionMissing", OLD, 100)
    made.target_is_settled = True
    assert made.run_to_end().weight == 0


def test_a_collection_that_was_only_released_is_loaded_again() -> None:
    made = in_progress()
    made.stable_collection = "unloaded"
    made.request(Action.ABORT)
    made.run_to_end()
    assert fx.LoadCollection(OLD.collection or "") in made.done
    assert (made.status.reason, made.alias) == ("Aborted", OLD.collection)


def test_a_promoted_rollout_that_is_deleted_does_not_wait_for_an_edit_to_be_taken_over() -> None:
    made = MadeCluster(made_rollout(), stable_pods=2).run(lambda made: made.status.completed_at is not None)
    made.weight = 40  # while the candidate drains
    made.pass_time()
    assert made.status.reason == "EditedByHand"
    delete(made)
    made.run_to_end(ticks_max=80)
    assert (made.finalizer_removed, made.status.phase) == (True, Phase.SUCCEEDED)
    assert (made.weight, made.has_candidate, made.candidate_is_owned, made.is_held) == (40, True, False, False)
