"""A person's edits of what the operator works on."""

from collections.abc import Callable

import pytest

from endcap.contracts.rollout import Action, Phase, Served
from endcap_rollout_operator.state.observed_state import Mode
from tests.services.rollout_operator.state.made_cluster import NEW, OLD, MadeCluster, made_rollout

OTHER = Served(version=3, storage_uri="pvc://bundles/3", collection="endcap_3")


def other_bundle(made: MadeCluster) -> None:
    made.served = OTHER


def other_weight(made: MadeCluster) -> None:
    if made.mode == "Standard":
        made.weight = 33
    else:
        made.percent = 33


def other_predictor(made: MadeCluster) -> None:
    made.fingerprint = "edited"


def at_step(made: MadeCluster, index: int) -> bool:
    return made.status.current_step_index == index and made.status.step_started_at is not None


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
@pytest.mark.parametrize("edit", [other_bundle, other_weight, other_predictor])
def test_an_edit_is_noticed_and_left_alone_even_when_a_guardrail_fails(mode: Mode, edit: Callable[[MadeCluster], None]) -> None:
    made = MadeCluster(made_rollout(), mode=mode).run(lambda made: at_step(made, 0))
    edit(made)
    made.verdict = lambda weight: "fail"
    left = (made.served, made.weight, made.percent, made.fingerprint)
    made.pass_time(100)
    assert (made.status.phase, made.status.reason) == (Phase.PAUSED, "EditedByHand")
    assert (made.served, made.weight, made.percent, made.fingerprint) == left
    (condition,) = [each for each in made.status.conditions if each.type == "EditedByHand"]
    assert condition.status == "True"


@pytest.mark.parametrize("mode", ["Standard", "Knative"])
@pytest.mark.parametrize("edit", [other_weight, other_predictor])
def test_resume_goes_on_from_the_edit_and_measures_the_step_anew(mode: Mode, edit: Callable[[MadeCluster], None]) -> None:
    made = MadeCluster(made_rollout(), mode=mode).run(lambda made: at_step(made, 0))
    edit(made)
    made.pass_time()
    made.request(Action.RESUME)
    made.pass_time()
    assert (made.status.phase, made.status.step_started_at) == (Phase.PROGRESSING, made.now)
    assert made.status.current_weight == (33 if edit is other_weight else 5)
    assert made.run_to_end().status.phase == Phase.SUCCEEDED


def test_another_stable_bundle_is_what_comes_back_after_it_was_adopted() -> None:
    made = MadeCluster(made_rollout()).run(lambda made: at_step(made, 0))
    made.served = OTHER
    made.pass_time()
    made.request(Action.RESUME)
    made.pass_time()
    made.request(Action.ABORT)
    made.run_to_end()
    assert (made.served, made.alias, made.weight) == (OTHER, OTHER.collection, 0)


def test_an_abort_leaves_the_bundle_a_person_gave_the_target_and_its_alias_goes_with_it() -> None:
    made = MadeCluster(made_rollout()).run(lambda made: at_step(made, 0))
    made.served = OTHER
    made.pass_time()
    made.request(Action.ABORT)
    made.run_to_end()
    assert (made.served, made.alias, made.weight, made.has_candidate) == (OTHER, OTHER.collection, 0, False)


def test_an_edit_that_took_the_candidates_place_ends_the_rollout_when_adopted() -> None:
    made = MadeCluster(made_rollout(), mode="Knative").run(lambda made: at_step(made, 1))
    made.served = OTHER
    made.pass_time()
    made.request(Action.RESUME)
    made.run_to_end()
    assert (made.status.phase, made.status.reason, made.served, made.percent) == (Phase.FAILED, "Superseded", OTHER, 50)


@pytest.mark.parametrize("edit", [other_weight, other_predictor])
@pytest.mark.parametrize("mode", ["Standard", "Knative"])
def test_an_abort_after_an_edit_brings_the_stable_version_back(mode: Mode, edit: Callable[[MadeCluster], None]) -> None:
    made = MadeCluster(made_rollout(), mode=mode).run(lambda made: at_step(made, 1))
    edit(made)
    made.pass_time()
    made.request(Action.ABORT)
    made.run_to_end()
    assert (made.served, made.weight, made.percent, made.has_candidate) == (OLD, 0, None, False)


def test_an_edit_of_the_target_while_it_rolls_over_pauses_the_promotion() -> None:
    made = MadeCluster(made_rollout()).run(lambda made: at_step(made, 2))
    made.target_is_settled = False
    made.run(lambda made: made.served.version == NEW.version)
    made.pass_time()
    made.served = OTHER
    made.pass_time(20)
    assert (made.status.phase, made.status.reason, made.weight, made.served) == (Phase.PAUSED, "EditedByHand", 100, OTHER)
    made.target_is_settled = True
    made.request(Action.RESUME)
    made.run_to_end()
    assert (made.status.reason, made.served, made.alias) == ("Superseded", OTHER, OTHER.collection)
    assert (made.weight, made.has_candidate) == (0, False)
