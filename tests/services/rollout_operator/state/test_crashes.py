"""An operator that may die between any two of its acts ends where one that never dies ends."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.rollout import Action, Phase, Served
from endcap_rollout_operator.state.observed_state import Mode
from tests.properties import examples
from tests.services.rollout_operator.state.made_cluster import MadeCluster, made_rollout

MODE = st.sampled_from(["Standard", "Knative"])
DEATHS = st.sets(st.integers(0, 60), max_size=25)
"""Numbers of the acts before which the operator dies."""
BROKEN_AT = st.sampled_from([None, 5, 50, 100])
ACTIONS = st.dictionaries(st.integers(1, 40), st.sampled_from(list(Action)), max_size=3)
"""What a person asks for, by tick."""


def dying(deaths: set[int]) -> tuple[MadeCluster, list[int]]:
    acts = [0]
    made = MadeCluster(made_rollout(), stable_pods=4, stable_min=2)

    def dies() -> bool:
        acts[0] += 1
        return acts[0] - 1 in deaths

    made.dies = dies
    return made, acts


def outcome(made: MadeCluster) -> tuple[object, ...]:
    status = made.status
    replicas = made.stable_min, made.is_held, status.stable_replicas
    return status.phase, status.reason, made.served, made.weight, made.percent, made.has_candidate, made.alias, made.champion, replicas


@examples(300)
@given(mode=MODE, deaths=DEATHS, broken_at=BROKEN_AT)
def test_deaths_change_nothing_of_the_end(mode: Mode, deaths: set[int], broken_at: int | None) -> None:
    made, _ = dying(deaths)
    undisturbed = MadeCluster(made_rollout(), stable_pods=4, stable_min=2)
    for each in (made, undisturbed):
        each.mode = mode
        each.verdict = lambda weight: "fail" if weight == broken_at else "pass"
        each.run_to_end()
    assert outcome(made) == outcome(undisturbed)


@examples(300)
@given(mode=MODE, deaths=DEATHS, actions=ACTIONS)
def test_deaths_amid_wishes_never_leave_traffic_on_a_candidate_that_is_not_the_target(
    mode: Mode, deaths: set[int], actions: dict[int, Action]
) -> None:
    made, _ = dying(deaths)
    made.mode = mode
    for tick in range(1, 60):
        if tick in actions:
            made.request(actions[tick])
        made.pass_time()
    if made.status.phase == Phase.PAUSED:
        made.request(Action.RESUME)
    made.run_to_end()
    assert (made.weight, made.percent, made.has_candidate) == (0, None, False)
    assert (made.stable_min, made.is_held) == (2, False)
    assert made.served.version == (2 if made.status.phase == Phase.SUCCEEDED else 1)
    assert made.alias == made.served.collection
    assert made.status.reason in {"Promoted", "Aborted"}


@examples(200)
@given(mode=MODE, deaths=DEATHS)
def test_no_death_looks_like_a_persons_edit(mode: Mode, deaths: set[int]) -> None:
    made, _ = dying(deaths)
    made.mode = mode
    seen: set[str] = set()
    made.run(lambda made: seen.add(made.status.reason) or made.rollout.has_ended)
    assert "EditedByHand" not in seen


@examples(200)
@given(mode=MODE, deaths=DEATHS, edited_at=st.integers(2, 20), edit=st.sampled_from(["weight", "bundle", "predictor", "replicas"]))
def test_an_edit_amid_deaths_is_never_written_over(mode: Mode, deaths: set[int], edited_at: int, edit: str) -> None:
    made, _ = dying(deaths)
    made.mode = mode
    made.run(lambda made: made.status.phase == Phase.PROGRESSING and made.status.step_started_at is not None)
    made.pass_time(edited_at)
    if made.status.phase != Phase.PROGRESSING:
        return
    if edit == "weight" and mode == "Standard":
        made.weight = 33
    elif edit == "weight":
        made.percent = 33
    elif edit == "bundle":
        made.served = Served(version=3, storage_uri="pvc://bundles/3", collection="endcap_3")
    elif edit == "replicas" and mode == "Standard":
        made.candidate_min = 1  # fewer than the target's own two
    else:
        made.fingerprint = "edited"
    left = made.weight, made.percent, made.served, made.fingerprint, made.has_candidate, made.candidate_min
    made.pass_time(40)
    assert (made.status.phase, made.status.reason) == (Phase.PAUSED, "EditedByHand")
    assert (made.weight, made.percent, made.served, made.fingerprint, made.has_candidate, made.candidate_min) == left


@examples(200)
@given(deaths=DEATHS, stable_pods=st.integers(0, 3), deleted=st.booleans())
def test_deaths_change_nothing_of_an_end_without_the_stable_collection(deaths: set[int], stable_pods: int, deleted: bool) -> None:
    made, _ = dying(deaths)
    undisturbed = MadeCluster(made_rollout(), stable_pods=4, stable_min=2)
    for each in (made, undisturbed):
        each.run(lambda each: each.status.phase == Phase.PROGRESSING and each.status.step_started_at is not None)
        each.stable_pods, each.stable_collection = stable_pods, "missing"
        if deleted:
            each.rollout = replace(each.rollout, is_deleting=True)
        else:
            each.request(Action.ABORT)
        each.run(lambda each: each.rollout.has_ended and (each.status.current_weight > 0 or not each.rollout.has_finalizer))
        # Longer than as many deaths in a row as there can be.
        each.pass_time(300)
    assert outcome(made) == outcome(undisturbed)
    assert made.candidate_is_owned == undisturbed.candidate_is_owned == (not deleted or stable_pods > 0)
    assert made.rollout.has_finalizer == undisturbed.rollout.has_finalizer == (not deleted and stable_pods == 0)
