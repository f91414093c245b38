from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.exploration.evidence import Evidence
from endcap.engine.exploration.policies import ThompsonSampling
from endcap.engine.exploration.slots import ExploredSlots
from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.diversity import Diversity
from endcap.engine.slate.families import FAMILY_RULE, first_of_family, left_out
from endcap.engine.slate.placements import Cap, Pin, Placements, Reserve
from endcap.engine.slate.slate import SlotKind
from tests.properties import examples


@st.composite
def shelves(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores with ties, a family a candidate (0 for none), and a length."""
    candidates = draw(st.integers(0, 200))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    score = random.choice([0.0, 0.01, *random.random(20)], candidates).astype(np.float32)
    return score, random.integers(0, draw(st.integers(1, 30)), candidates).astype(np.int32), draw(st.integers(0, 30))


def distinct_kinds(families: np.ndarray) -> int:
    return len(np.unique(families[families > 0])) + int((families == 0).sum())


@given(shelves(), st.sampled_from([0.0, 0.5]))
def test_one_of_a_family_as_long_as_there_are_others_and_the_list_is_as_long_as_without(shelf, strength: float) -> None:
    score, families, k = shelf
    vectors = np.random.default_rng(0).normal(size=(len(score), 4)).astype(np.float32)
    slate = assemble(score, k, diversity=Diversity(strength, vectors), families=families)
    assert len(slate) == len(set(slate.rows.tolist())) == min(k, len(score))
    firsts = min(len(slate), distinct_kinds(families))
    assert distinct_kinds(families[slate.rows]) == firsts
    assert all(kind is SlotKind.RANKED for kind in slate.kind[:firsts])
    assert slate.kind[firsts:] == (SlotKind.RELAXED,) * (len(slate) - firsts)
    assert slate.rule[firsts:] == (FAMILY_RULE,) * (len(slate) - firsts)


@given(shelves(), st.lists(st.integers(1, 30), max_size=4))
def test_the_pages_families_fill_up_a_list_only(shelf, page: list[int]) -> None:
    score, families, k = shelf
    slate = assemble(score, k, families=families, page_families=np.array(page, np.int32))
    beside = np.isin(families[slate.rows], page)
    others = distinct_kinds(families[~np.isin(families, page)])
    assert len(slate) == min(k, len(score))
    assert not beside[: min(k, others)].any()
    assert all(slate.rule[place] == FAMILY_RULE for place in np.flatnonzero(beside))


@given(shelves())
def test_the_best_of_the_family_is_shown(shelf) -> None:
    score, families, k = shelf
    slate = assemble(score, k, families=families)
    for place, row in enumerate(slate.rows.tolist()):
        if families[row] and slate.kind[place] is SlotKind.RANKED:
            assert score[row] == score[families == families[row]].max()


def test_pins_and_reserves_win_and_take_the_familys_place() -> None:
    score, families = np.linspace(1, 0.1, 10, dtype=np.float32), np.array([1, 1, 1, 2, 2, 0, 0, 0, 0, 0], np.int32)
    rows = np.arange(10)
    pins = Placements(pins=(Pin("second", 4, rows == 1), Pin("third", 2, rows == 2)), reserves=(Reserve("own", rows == 4, (1,)),))
    slate = assemble(score, 6, placements=pins, families=families)
    assert slate.rows.tolist() == [4, 2, 5, 1, 6, 7]


def test_the_category_cap_gives_way_before_a_family_stands_twice() -> None:
    score, families = np.linspace(1, 0.9, 5, dtype=np.float32), np.array([1, 1, 0, 2, 2], np.int32)
    never = Placements(caps=(Cap("never", np.array([-1, -1, -1, 0, 0], np.int32), 0),))
    slate = assemble(score, 3, placements=never, families=families, diversity=Diversity(group=np.array([0, 1, 0, 2, 2], np.int32), most=1))
    assert slate.rows.tolist() == [0, 2, 1]
    assert slate.rule == (None, "diversity", FAMILY_RULE)


@examples(40)
@given(shelves(), st.floats(0.1, 1.0))
def test_what_explores_is_of_no_family_that_is_shown(shelf, share: float) -> None:
    score, families, k = shelf
    count = len(score) + 1
    evidence = Evidence(np.zeros(count, np.float32), np.zeros(count, np.float32), np.full(count, 0.02, np.float32), 20.0, 0.0)
    index = np.arange(1, count, dtype=np.int32)
    exploration = ExploredSlots(ThompsonSampling(), evidence, index, np.random.default_rng(0), share=share)
    plain = assemble(score, k, families=families)
    slate = assemble(score, k, families=families, exploration=exploration)
    before = Counter(families[plain.rows][families[plain.rows] > 0].tolist())
    after = Counter(families[slate.rows][families[slate.rows] > 0].tolist())
    assert all(count <= max(1, before[family]) for family, count in after.items())


def test_an_order_keeps_the_first_of_each_family_that_is_not_taken() -> None:
    kept = first_of_family(np.array([3, 0, 1, 3, 0, 2, 1], np.int32), np.array([2, 0], np.int32))
    assert kept.tolist() == [True, True, True, False, True, False, False]
    assert first_of_family(np.zeros(0, np.int32), np.zeros(0, np.int32)).tolist() == []


def test_what_was_left_out_is_what_was_good_enough() -> None:
    families, score = np.array([1, 1, 0, 1, 2, 2, 1], np.int32), np.array([9, 8, 7, 6, 5, 4, 6.5], np.float32)
    out = left_out(families, score, np.array([0, 2, 4], np.int32))
    assert {code: rows.tolist() for code, rows in out.items()} == {1: [1, 6, 3]}
    assert left_out(families, score, np.zeros(0, np.int32)) == {}
