import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.category_cap import PLACE_KEPT, WORTH_KEPT, affordable_most
from endcap.engine.slate.diversity import Diversity
from endcap.engine.slate.slate import SlotKind


def naive_worth(score: np.ndarray, group: np.ndarray, most: int, places: int) -> list[float]:
    """What each place of the best list under a cap is worth, taken place by place."""
    counts: dict[int, int] = {}
    worth = []
    for row in np.argsort(-score, kind="stable").tolist():
        name = int(group[row])
        if name < 0 or counts.get(name, 0) < most:
            counts[name] = counts.get(name, 0) + 1
            worth.append(max(float(score[row]), 0.0))
    return (worth + [0.0] * places)[:places]


def is_enough(capped: list[float], best: list[float], slack: float) -> bool:
    return sum(capped) >= WORTH_KEPT * sum(best) - slack and all(
        one >= PLACE_KEPT * other - slack for one, other in zip(capped, best, strict=True)
    )


@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.integers(1, 6), st.integers(1, 5), st.integers(1, 20))
def test_the_cap_is_the_least_that_leaves_the_list_its_worth(seed, candidates, groups, most, places) -> None:
    random = np.random.default_rng(seed)
    score = random.choice([0.0, 0.001, 0.3, *random.random(6), -0.2], candidates).astype(np.float32)
    group = random.integers(-1, groups, candidates).astype(np.int32)
    found = affordable_most(score, group, most, places)
    assert found >= most
    best = naive_worth(score, group, candidates + 1, places)
    assert is_enough(naive_worth(score, group, found, places), best, 1e-6)
    if found > most:
        assert not is_enough(naive_worth(score, group, found - 1, places), best, -1e-6)


def test_two_categories_and_ten_places_become_five_of_each() -> None:
    assert affordable_most(np.ones(40, np.float32), np.arange(40, dtype=np.int32) % 2, 4, 10) == 5


def test_variety_that_costs_little_is_kept() -> None:
    score, group = np.linspace(1, 0.8, 40, dtype=np.float32), np.arange(40, dtype=np.int32) // 10
    slate = assemble(score, 10, diversity=Diversity(group=group, most=4))
    assert np.bincount(group[slate.rows]).max() == 4
    assert slate.category_most == 4


def test_nothing_worthless_stands_in_a_list_because_of_a_cap() -> None:
    score = np.full(200, 1e-4, np.float32)
    score[:12] = np.linspace(0.5, 0.4, 12)
    group = np.r_[np.zeros(12, np.int32), np.arange(188, dtype=np.int32) % 9 + 1]
    slate = assemble(score, 10, diversity=Diversity(group=group, most=4))
    assert slate.rows.tolist() == list(range(10))
    assert slate.category_most == 10
    assert set(slate.kind) == {SlotKind.RANKED}


@pytest.mark.parametrize("scores", [[], [0.0] * 30, [-1.0] * 30, [np.nan] * 30])
def test_scores_that_say_nothing_leave_the_cap_as_it_is(scores) -> None:
    score = np.array(scores, np.float32)
    slate = assemble(score, 10, diversity=Diversity(group=np.arange(len(score), dtype=np.int32) // 10, most=4))
    assert (slate.category_most, len(slate)) == (4, min(10, len(score)))
