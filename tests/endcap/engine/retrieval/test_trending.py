import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.popular import OVERALL, Popularity
from endcap.engine.retrieval.trending import EVIDENCE_MIN, trending_candidates, trending_of


def trends(counts: list[tuple[float, float]], size: int = 10) -> Candidates:
    recent, expected = (np.array(column, np.float32) for column in zip(*counts, strict=True))
    return trending_of(np.arange(1, len(counts) + 1, dtype=np.int32), recent, expected, size)


def test_the_rise_counts_and_not_the_height() -> None:
    assert trends([(1000, 1000), (40, 10)]).index.tolist() == [2]


def test_the_same_ratio_says_more_with_more_purchases() -> None:
    assert trends([(8, 4), (80, 40)]).index.tolist() == [2, 1]


def test_a_few_purchases_are_no_trend() -> None:
    assert not len(trends([(EVIDENCE_MIN - 1, 0)]).index)


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 500, width=32)), min_size=1, max_size=30))
def test_scores_lie_between_0_and_1_and_fall(counts: list[tuple[int, float]]) -> None:
    found = trends([(float(recent), expected) for recent, expected in counts], size=5)
    assert len(found.index) <= 5
    assert (np.diff(found.score) <= 0).all()
    assert ((found.score > 0) & (found.score <= 1)).all()
    assert all(counts[item - 1][0] > counts[item - 1][1] for item in found.index)


def test_a_region_has_trends_of_its_own_mixed_with_everybodys() -> None:
    def ranked(*index: int) -> Candidates:
        return Candidates(np.array(index, np.int32), np.linspace(1, 0.5, len(index), dtype=np.float32))

    table = Popularity({OVERALL: ranked(1, 2, 3), "region=north": ranked(9)})
    found = trending_candidates(table, ["region=north"], lambda index: index != 2, 3)
    assert sorted(found.index.tolist()) == [1, 3, 9]
