import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.retrieval.candidates import SOURCES, Candidates, union


@st.composite
def one_source(draw: st.DrawFn) -> Candidates:
    index = np.array(draw(st.lists(st.integers(1, 60), unique=True, max_size=30)), dtype=np.int32)
    score = np.array(draw(st.lists(st.floats(0, 1, width=32), min_size=len(index), max_size=len(index))), dtype=np.float32)
    return Candidates.best(index, score, quota=len(index))


all_sources = st.dictionaries(st.sampled_from(SOURCES), one_source())


@given(one_source(), st.integers(0, 30))
def test_best_keeps_the_highest_scores_in_order(source: Candidates, quota: int) -> None:
    kept = Candidates.best(source.index, source.score, quota)
    assert len(kept.index) == min(quota, len(source.index))
    assert (np.diff(kept.score) <= 0).all()
    assert sorted(kept.score, reverse=True) == sorted(source.score, reverse=True)[: len(kept.score)]


@given(all_sources, st.integers(1, 100))
def test_union_holds_every_item_once_with_its_provenance(by_source: dict[str, Candidates], candidates_max: int) -> None:
    merged = union(by_source, candidates_max)
    everything = {int(index) for source in by_source.values() for index in source.index}
    assert len(merged) == min(candidates_max, len(everything))
    assert len(set(merged.index)) == len(merged)
    assert (np.diff(merged.fused) <= 0).all()
    for row, index in enumerate(merged.index):
        for column, name in enumerate(SOURCES):
            source = by_source.get(name, Candidates.none())
            place = np.flatnonzero(source.index == index)
            assert merged.brought[row, column] == bool(len(place))
            assert merged.scores[row, column] == (source.score[place[0]] if len(place) else 0)
        assert merged.brought[row, merged.main_source[row]]


def test_union_without_sources_is_empty() -> None:
    assert len(union({}, 10)) == 0


def test_what_was_bought_before_is_named_so() -> None:
    first, later = (Candidates(np.array(index, np.int32), np.array([0.9, 0.1], np.float32)) for index in ([5, 6], [6, 5]))
    merged = union({"two_tower": first, "buy_again": later}, 10)
    assert {SOURCES[source] for source in merged.main_source} == {"buy_again"}


def test_what_the_visit_had_is_named_so_unless_it_is_a_habit_or_in_the_cart() -> None:
    best = Candidates(np.array([5, 6, 7], np.int32), np.array([0.9, 0.5, 0.1], np.float32))
    looked = Candidates(np.array([7, 6, 5], np.int32), np.array([1.0, 0.5, 0.3], np.float32))
    carted, usual = (Candidates(np.array([index], np.int32), np.ones(1, np.float32)) for index in (6, 7))
    merged = union({"two_tower": best, "recently_viewed": looked, "left_in_cart": carted, "buy_again": usual}, 10)
    named = {int(index): SOURCES[source] for index, source in zip(merged.index, merged.main_source, strict=True)}
    assert named == {5: "recently_viewed", 6: "left_in_cart", 7: "buy_again"}


def test_keep_filters_every_column_alike() -> None:
    merged = union({"popular": Candidates(np.array([3, 1, 2], np.int32), np.array([0.9, 0.5, 0.1], np.float32))}, 10)
    kept = merged.keep(merged.index != 1)
    assert list(kept.index) == [3, 2]
    assert list(kept.score_of("popular")) == [np.float32(0.9), np.float32(0.1)]


items_with_scores = st.dictionaries(
    st.integers(1, 2**31 - 1), st.floats(-(2.0**60), 2.0**60, width=32).map(lambda score: score + 0.0), max_size=60
)


@given(items_with_scores, st.integers(0, 70))
def test_the_best_are_in_order_by_score_then_item(scored: dict[int, float], quota: int) -> None:
    index, score = np.array(list(scored), np.int32), np.array(list(scored.values()), np.float32)
    found = Candidates.best(index, score, quota)
    expected = sorted(scored.items(), key=lambda pair: (-np.float32(pair[1]), pair[0]))[:quota]
    assert found.index.tolist() == [item for item, _ in expected]
    assert found.score.tolist() == [np.float32(value) for _, value in expected]
    assert (found.index.dtype, found.score.dtype) == (np.int32, np.float32)
