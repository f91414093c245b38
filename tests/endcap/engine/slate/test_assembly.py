from collections import Counter
from itertools import permutations
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.diversity import DIVERSITY_RULE, Diversity
from endcap.engine.slate.placements import Cap, MinimumShare, Pin, Placements, Reserve
from endcap.engine.slate.slate import Slate, SlotKind

GROUPS = 4


@st.composite
def shelves(draw: st.DrawFn, candidates_max: int = 300) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores with ties, a group a candidate, and a length."""
    candidates = draw(st.integers(0, candidates_max))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    score = random.choice([0.0, 0.001, 0.01, 0.2, *random.random(20)], candidates).astype(np.float32)
    return score, random.integers(-1, GROUPS, candidates).astype(np.int32), draw(st.integers(0, 30))


def positions(k: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(st.integers(1, max(k, 1) + 2), max_size=4, unique=True).map(tuple)


@st.composite
def ruled_shelves(draw: st.DrawFn) -> tuple[np.ndarray, int, Placements]:
    """Any mix of rules, overlapping, contradicting and impossible ones among them."""
    score, group, k = draw(shelves())
    members = st.sampled_from([group == number for number in range(GROUPS)] + [group >= 2, np.zeros(len(group), bool), group < 9])
    pins = draw(st.lists(st.builds(Pin, st.just("pin"), st.integers(1, k + 2), members), max_size=3))
    reserves = draw(st.lists(st.builds(Reserve, st.just("reserve"), members, positions(k)), max_size=2))
    shares = draw(st.lists(st.builds(MinimumShare, st.just("share"), members, st.floats(0, 1)), max_size=2))
    within = st.none() | st.integers(1, k + 1)
    caps = draw(st.lists(st.builds(Cap, st.just("cap"), st.just(group), st.integers(0, 5), within), max_size=2))
    return score, k, Placements(tuple(pins), tuple(reserves), tuple(shares), tuple(caps))


def naive_order(score: np.ndarray) -> list[int]:
    return sorted(range(len(score)), key=lambda row: (-score[row], row))


def groups_listed(slate: Slate, cap: Cap) -> Counter:
    return Counter(group for group in cap.group[slate.rows[: cap.within]].tolist() if group >= 0)


@given(shelves())
def test_without_rules_the_order_is_that_of_the_scores(shelf) -> None:
    score, _, k = shelf
    slate = assemble(score, k)
    assert slate.rows.tolist() == naive_order(score)[:k]
    assert set(slate.kind) <= {SlotKind.RANKED}
    assert slate.propensity.tolist() == [1.0] * len(slate)


@given(ruled_shelves(), st.sampled_from([0.0, 0.4, 1.0]))
def test_the_list_is_full_and_without_duplicates_whatever_the_rules(shelf, strength: float) -> None:
    score, k, placements = shelf
    vectors = np.random.default_rng(0).normal(size=(len(score), 4)).astype(np.float32)
    slate = assemble(score, k, placements=placements, diversity=Diversity(strength, vectors))
    assert len(slate) == min(k, len(score)) == len(set(slate.rows.tolist()))
    assert len(slate.kind) == len(slate.rule) == len(slate.penalty) == len(slate.score) == len(slate.score_after) == len(slate)
    assert slate.score.tolist() == score[slate.rows].tolist()
    assert slate.rows.dtype == np.int32
    assert {array.dtype for array in (slate.propensity, slate.penalty, slate.score, slate.score_after)} == {np.dtype(np.float32)}


@given(ruled_shelves())
def test_every_pin_holds_its_best_member_that_no_earlier_pin_took(shelf) -> None:
    score, k, placements = shelf
    slate = assemble(score, k, placements=placements)
    expected: dict[int, int] = {}
    for pin in placements.pins:
        free = [row for row in naive_order(score) if pin.member[row] and row not in expected.values()]
        if pin.position <= len(slate) and pin.position not in expected and free:
            expected[pin.position] = free[0]
    assert {position + 1: int(slate.rows[position]) for position, kind in enumerate(slate.kind) if kind is SlotKind.PINNED} == expected


@given(ruled_shelves())
def test_reserved_places_are_filled_by_members_as_far_as_there_are_any(shelf) -> None:
    score, k, placements = shelf
    placements = Placements(placements.pins, placements.reserves[:1], placements.shares, placements.caps)
    slate = assemble(score, k, placements=placements)
    pinned = {place for place, kind in enumerate(slate.kind) if kind is SlotKind.PINNED}
    for reserve in placements.reserves:
        free = int(reserve.member.sum()) - sum(bool(reserve.member[slate.rows[place]]) for place in pinned)
        places = [position - 1 for position in reserve.positions if position <= len(slate) and position - 1 not in pinned]
        held = sum(slate.kind[place] is SlotKind.RESERVED and bool(reserve.member[slate.rows[place]]) for place in places)
        assert held == min(len(places), free)


@given(st.integers(0, 2**32 - 1))
def test_as_many_reserved_places_hold_as_any_assignment_of_members_could(seed: int) -> None:
    random = np.random.default_rng(seed)
    score = random.random(6).astype(np.float32)
    members = [random.random(6) < 0.35 for _ in range(3)]
    places = random.permutation(5)[:4] + 1
    reserves = (
        Reserve("a", members[0], (int(places[0]),)),
        Reserve("b", members[1], (int(places[1]), int(places[2]))),
        Reserve("c", members[2], (int(places[3]),)),
    )
    slate = assemble(score, 5, placements=Placements(reserves=reserves))
    demands = [reserve.member for reserve in reserves for _ in reserve.positions]
    best = max(sum(bool(member[row]) for member, row in zip(demands, rows, strict=True)) for rows in permutations(range(6), 4))
    assert sum(kind is SlotKind.RESERVED for kind in slate.kind) == best


def test_overlapping_reserves_both_hold_when_they_can() -> None:
    score = np.array([9, 8, 7, 6, 5], np.float32)
    wide, narrow = np.array([1, 1, 0, 0, 0], bool), np.array([1, 0, 0, 0, 0], bool)
    slate = assemble(score, 4, placements=Placements(reserves=(Reserve("wide", wide, (2,)), Reserve("narrow", narrow, (4,)))))
    assert slate.rows.tolist() == [2, 1, 3, 0]
    assert slate.rule == (None, "wide", None, "narrow")


def test_an_earlier_place_does_not_use_up_the_last_member_of_a_reserve() -> None:
    member = np.array([1, 0, 0, 0], bool)
    slate = assemble(np.array([9, 8, 7, 6], np.float32), 3, placements=Placements(reserves=(Reserve("own", member, (3,)),)))
    assert slate.rows.tolist() == [1, 2, 0]


@given(ruled_shelves())
def test_one_minimum_share_is_met_as_far_as_there_are_members_and_places(shelf) -> None:
    score, k, placements = shelf
    placements = Placements(placements.pins, placements.reserves, placements.shares[:1], placements.caps)
    slate = assemble(score, k, placements=placements)
    for share in placements.shares:
        listed = share.member[slate.rows]
        decided = [kind in {SlotKind.PINNED, SlotKind.RESERVED} for kind in slate.kind]
        asked = ceil(share.share * len(slate) - 1e-9)
        places = len(slate) - sum(decided) + int(listed[decided].sum())
        assert int(listed.sum()) >= min(asked, int(share.member.sum()), places)


def test_shares_that_do_not_overlap_are_all_met_when_the_list_is_long_enough() -> None:
    group = np.repeat(np.arange(3), 10)
    shares = (MinimumShare("ones", group == 1, 0.3), MinimumShare("twos", group == 2, 0.4))
    slate = assemble(np.linspace(1, 0.1, 30, dtype=np.float32), 10, placements=Placements(shares=shares))
    assert Counter(group[slate.rows].tolist()) == {0: 3, 1: 3, 2: 4}
    assert slate.rows.tolist() == sorted(slate.rows.tolist())
    assert slate.rule == (None,) * 3 + ("ones",) * 3 + ("twos",) * 4


def test_a_share_that_the_ranking_meets_changes_nothing() -> None:
    score = np.linspace(1, 0.1, 30, dtype=np.float32)
    slate = assemble(score, 10, placements=Placements(shares=(MinimumShare("own", np.arange(30) % 2 == 0, 0.5),)))
    assert slate.rows.tolist() == list(range(10))
    assert set(slate.kind) == {SlotKind.RANKED}


def test_a_share_that_breaks_a_cap_says_so_where_the_cap_leaves_nothing() -> None:
    rules = Placements(shares=(MinimumShare("own", np.array([True]), 1.0),), caps=(Cap("none", np.array([1], dtype=np.int32), 0),))
    slate = assemble(np.array([0.5], dtype=np.float32), 1, placements=rules)
    assert (slate.kind, slate.rule) == ((SlotKind.SHARE,), ("own",))


def test_a_reserve_that_will_serve_the_share_is_waited_for() -> None:
    own = np.arange(30) >= 20
    rules = Placements(reserves=(Reserve("place", own, (4,)),), shares=(MinimumShare("own", own, 0.25),))
    slate = assemble(np.linspace(1, 0.1, 30, dtype=np.float32), 4, placements=rules)
    assert slate.rows.tolist() == [0, 1, 2, 20]


@given(ruled_shelves())
def test_a_cap_is_broken_only_by_what_stands_above_it_or_where_nothing_else_is_left(shelf) -> None:
    score, k, placements = shelf
    slate = assemble(score, k, placements=placements)
    for cap in placements.caps:
        stronger = {SlotKind.PINNED, SlotKind.RESERVED, SlotKind.SHARE, SlotKind.RELAXED}
        for group, count in groups_listed(slate, cap).items():
            excused = [kind in stronger for kind in slate.kind[: cap.within]]
            assert count <= cap.most or np.any(excused & (cap.group[slate.rows[: cap.within]] == group))


@given(shelves(), st.integers(0, 5), st.none() | st.integers(1, 10))
def test_one_cap_alone_gives_the_best_list_that_keeps_it_and_then_the_rest(shelf, most: int, within: int | None) -> None:
    score, group, k = shelf
    slate = assemble(score, k, placements=Placements(caps=(Cap("brand", group, most, within),)))
    listed: list[int] = []
    kinds: list[SlotKind] = []
    for position in range(1, len(slate) + 1):
        left = [row for row in naive_order(score) if row not in listed]
        counts = Counter(group[listed].tolist())
        fits = [row for row in left if group[row] < 0 or counts[int(group[row])] < most or (within is not None and position > within)]
        listed.append((fits or left)[0])
        kinds.append(SlotKind.RANKED if fits else SlotKind.RELAXED)
    assert slate.rows.tolist() == listed
    assert list(slate.kind) == kinds
    assert all((rule == "brand") == (kind is SlotKind.RELAXED) for rule, kind in zip(slate.rule, slate.kind, strict=True))


def test_a_cap_finds_what_stands_far_behind_the_best() -> None:
    group = np.zeros(1000, np.int32)
    group[990:] = 1
    slate = assemble(np.linspace(1, 0.1, 1000, dtype=np.float32), 4, placements=Placements(caps=(Cap("brand", group, 2),)))
    assert slate.rows.tolist() == [0, 1, 990, 991]
    assert set(slate.kind) == {SlotKind.RANKED}


def test_the_last_cap_gives_way_first() -> None:
    brand, colour = np.zeros(6, np.int32), np.array([0, 0, 0, 1, 1, 1], np.int32)
    slate = assemble(
        np.linspace(1, 0.1, 6, dtype=np.float32), 3, placements=Placements(caps=(Cap("brand", brand, 2), Cap("colour", colour, 1)))
    )
    assert slate.rows.tolist() == [0, 3, 1]
    assert slate.rule == (None, None, "brand")
    swapped = Placements(caps=(Cap("colour", colour, 1), Cap("brand", np.array([0, 0, 0, 0, 0, -1], np.int32), 1)))
    slate = assemble(np.linspace(1, 0.1, 6, dtype=np.float32), 3, placements=swapped)
    assert slate.rows.tolist() == [0, 5, 1]


def test_precedence_is_pin_reserve_share_cap_and_then_diversity() -> None:
    score = np.linspace(1, 0.1, 12, dtype=np.float32)
    group = np.array([0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 3], np.int32)
    rules = Placements(
        pins=(Pin("pin", 2, group == 3),),
        reserves=(Reserve("reserve", group == 2, (1, 2)),),
        shares=(MinimumShare("share", group == 1, 0.4),),
        caps=(Cap("cap", group, 1),),
    )
    slate = assemble(score, 5, placements=rules, diversity=Diversity(group=group, most=1))
    assert [(int(group[row]), str(kind)) for row, kind in zip(slate.rows, slate.kind, strict=True)] == [
        (2, "reserved"),
        (3, "pinned"),
        (0, "ranked"),
        (1, "ranked"),
        (1, "share"),
    ]
    assert slate.rule == ("reserve", "pin", None, None, "share")


def test_the_category_cap_of_diversity_yields_to_the_rules_caps() -> None:
    score, category = np.linspace(1, 0.9, 5, dtype=np.float32), np.array([0, 0, 0, 1, 1], np.int32)
    never = Placements(caps=(Cap("never", np.array([-1, -1, -1, 0, 0], np.int32), 0),))
    slate = assemble(score, 3, placements=never, diversity=Diversity(group=category, most=2))
    assert slate.rows.tolist() == [0, 1, 2]
    assert slate.kind == (SlotKind.RANKED, SlotKind.RANKED, SlotKind.RELAXED)
    assert slate.rule == (None, None, DIVERSITY_RULE)


def test_scores_that_are_no_numbers_rank_last_and_break_nothing() -> None:
    score = np.array([np.nan, 0.5, np.inf, -np.inf, 0.7], np.float32)
    assert assemble(score, 5).rows.tolist()[:3] == [2, 4, 1]
    vectors = np.eye(5, dtype=np.float32)
    assert sorted(assemble(score, 5, diversity=Diversity(0.5, vectors)).rows.tolist()) == list(range(5))


@pytest.mark.parametrize("k", [-1, 0])
def test_no_places_make_an_empty_list(k: int) -> None:
    member = np.ones(3, bool)
    rules = Placements(pins=(Pin("p", 1, member),), reserves=(Reserve("r", member, (1,)),), shares=(MinimumShare("s", member, 1.0),))
    assert len(assemble(np.ones(3, np.float32), k, placements=rules)) == 0
