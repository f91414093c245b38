from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.exploration.evidence import Evidence
from endcap.engine.exploration.policies import DiscountedUcb, EpsilonGreedy, ThompsonSampling
from endcap.engine.exploration.policy import Policy
from endcap.engine.exploration.slots import ExploredSlots
from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.placements import Cap, MinimumShare, Pin, Placements, Reserve
from endcap.engine.slate.slate import Slate, SlotKind
from tests.properties import examples

POLICIES: list[Policy] = [ThompsonSampling(), DiscountedUcb(), EpsilonGreedy()]
SCORE = np.linspace(1, 0.1, 40, dtype=np.float32)
INDEX = np.arange(1, 41, dtype=np.int32)


def slots(evidence: Evidence, seed: int, policy: Policy | None = None, **changes: float) -> ExploredSlots:
    return replace(ExploredSlots(policy or ThompsonSampling(), evidence, INDEX, np.random.default_rng(seed)), **changes)  # type: ignore[arg-type]


def lists(evidence: Evidence, count: int, k: int = 6, policy: Policy | None = None, **changes: float) -> list[Slate]:
    """The lists of so many requests for the same candidates."""
    plain = assemble(SCORE, k)
    return [slots(evidence, seed, policy, **changes).fill(plain, SCORE, Placements()) for seed in range(count)]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@pytest.mark.parametrize(("share", "new_item_share", "swap_share"), [(0.05, 0.5, 0.2), (0.4, 0.3, 0.45), (1.0, 1.0, 0.1), (0.0, 0.5, 0.3)])
def test_every_place_has_the_items_as_often_as_their_propensities_say(
    evidence: Evidence, policy: Policy, share: float, new_item_share: float, swap_share: float
) -> None:
    """Mean of 1 / propensity over the lists that show an item at a place is 1 over all lists, for every item and place that can be."""
    runs = 2_000
    weight: dict[tuple[int, int], list[float]] = defaultdict(list)
    for slate in lists(evidence, runs, policy=policy, share=share, new_item_share=new_item_share, swap_share=swap_share):
        for place, (row, propensity) in enumerate(zip(slate.rows.tolist(), slate.propensity.tolist(), strict=True)):
            weight[place, row].append(1 / propensity)
    checked = 0
    for (place, row), weights in weight.items():
        if runs / max(weights) >= 30:
            checked += 1
            assert abs(sum(weights) / runs - 1) <= 5 * np.sqrt((max(weights) - 1) / runs) + 1e-6, (place, row, len(weights))
    assert checked >= (4 if share == 0 else 6)


def test_with_a_fixed_order_of_arms_frequencies_are_the_logged_numbers_themselves(evidence: Evidence) -> None:
    runs = 2_000
    logged: dict[tuple[int, int], set[float]] = defaultdict(set)
    shown: Counter[tuple[int, int]] = Counter()
    for slate in lists(evidence, runs, k=5, policy=EpsilonGreedy(0.5), share=0.5):
        for place, (row, propensity) in enumerate(zip(slate.rows.tolist(), slate.propensity.tolist(), strict=True)):
            logged[place, row].add(round(propensity, 6))
            shown[place, row] += 1
    for key, count in shown.items():
        (propensity,) = logged[key]
        assert abs(count / runs - propensity) <= 5 * np.sqrt(propensity * (1 - propensity) / runs) + 1e-12


def test_half_of_the_short_lists_explore_one_place_and_never_the_first(evidence: Evidence) -> None:
    made = lists(evidence, 2_000, k=10)
    explored = [[place for place, kind in enumerate(slate.kind) if kind is SlotKind.EXPLORED] for slate in made]
    assert {len(places) for places in explored} == {0, 1}
    assert sum(map(len, explored)) / len(made) == pytest.approx(0.5, abs=0.05)
    assert {place for places in explored for place in places} == set(range(1, 10))
    assert all(slate.propensity[0] == 1 for slate in made)


def test_the_rest_of_the_list_stays_as_it_was(evidence: Evidence) -> None:
    plain = assemble(SCORE, 10)
    for slate in lists(evidence, 50, k=10, share=0.3):
        ranked = np.array([kind is SlotKind.RANKED for kind in slate.kind])
        assert slate.rows[ranked].tolist() == plain.rows[ranked].tolist()
        assert not set(slate.rows[~ranked].tolist()) & set(plain.rows.tolist())
        assert slate.score.tolist() == SCORE[slate.rows].tolist()


def test_new_items_get_their_share_of_the_explored_places(evidence: Evidence) -> None:
    new = evidence.impressions[INDEX] < 50
    explored = [
        bool(new[row])
        for slate in lists(evidence, 2_000, k=10, share=0.1, new_item_share=0.7)
        for row, kind in zip(slate.rows, slate.kind, strict=True)
        if kind is SlotKind.EXPLORED
    ]
    assert np.mean(explored) == pytest.approx(0.7, abs=0.05)


def test_every_new_candidate_comes_up_in_the_end(evidence: Evidence) -> None:
    new = set(np.flatnonzero(evidence.impressions[INDEX] < 50).tolist()) - set(range(10))
    seen = {int(row) for slate in lists(evidence, 1_500, k=10, share=0.2) for row in slate.rows}
    assert new <= seen


@examples(60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 25), st.floats(0, 1), st.integers(1, 3))
def test_rules_hold_with_exploration(evidence: Evidence, seed: int, k: int, share: float, most: int) -> None:
    random = np.random.default_rng(seed)
    group = random.integers(-1, 12, 40).astype(np.int32)
    rules = Placements(
        pins=(Pin("pin", 2, group == 1),),
        reserves=(Reserve("reserve", group == 2, (4,)),),
        shares=(MinimumShare("share", group % 2 == 0, 0.4),),
        caps=(Cap("cap", group, most),),
    )
    plain = assemble(SCORE, k, placements=rules)
    slate = assemble(SCORE, k, placements=rules, exploration=slots(evidence, seed, share=share))
    assert len(slate) == len(set(slate.rows.tolist())) == min(k, 40)
    assert ((slate.propensity > 0) & (slate.propensity <= 1 + 1e-6)).all()
    decided = [place for place, kind in enumerate(plain.kind) if kind is not SlotKind.RANKED]
    assert slate.rows[decided].tolist() == plain.rows[decided].tolist()
    members = (group % 2 == 0).astype(int)
    asked = min(np.ceil(0.4 * len(slate) - 1e-9), members[plain.rows].sum())
    assert members[slate.rows].sum() >= asked
    if SlotKind.RELAXED not in plain.kind:
        before, after = Counter(group[plain.rows].tolist()), Counter(group[slate.rows].tolist())
        assert all(count <= max(most, before[code]) for code, count in after.items() if code >= 0)


def test_nothing_to_explore_leaves_a_certain_list(evidence: Evidence) -> None:
    everything = replace(slots(evidence, 0, share=1.0), index=INDEX[:5])
    slate = assemble(SCORE[:5], 5, exploration=everything)
    assert slate.rows.tolist() == list(range(5))
    assert slate.propensity.tolist() == [1.0] * 5
    assert lists(evidence, 1, share=0.0)[0].propensity.tolist() == [1.0] * 6
    assert len(assemble(SCORE[:0], 5, exploration=replace(everything, index=INDEX[:0]))) == 0


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
def test_inverse_propensity_scores_of_clicks_are_unbiased(evidence: Evidence, policy: Policy) -> None:
    """From lists that explore, the clicks of a list that would always show one new item second: known here, since clicks are made."""
    random = np.random.default_rng(5)
    rate = random.uniform(0.05, 0.6, 40)
    target, place, runs = 33, 1, 6_000
    estimates = np.zeros(runs)
    for run, slate in enumerate(lists(evidence, runs, policy=policy, share=0.6)):
        if slate.rows[place] == target:
            estimates[run] = (random.random() < rate[target]) / slate.propensity[place]
    assert abs(estimates.mean() - rate[target]) <= 4 * estimates.std() / np.sqrt(runs)
