import numpy as np

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.popular import OVERALL, Popularity, popular_candidates, popular_of


def ranked(*index: int) -> Candidates:
    return Candidates(np.array(index, np.int32), np.linspace(1, 0.5, len(index), dtype=np.float32))


POPULARITY = Popularity({OVERALL: ranked(1, 2, 3, 4, 5, 6), "region=north": ranked(9, 2, 8)})


def test_most_bought_items_come_first() -> None:
    table = popular_of(np.array([3, 3, 3, 1, 1, 2], np.int32), item_count=4, size=2)
    assert list(table.index) == [3, 1]
    assert table.score[0] == 1


def test_a_known_segment_is_mixed_with_everybody() -> None:
    found = POPULARITY.candidates(["region=north"], quota=4)
    assert {9, 2} <= set(found.index)
    assert len(set(found.index)) == len(found.index) == 4


def test_unknown_segments_get_what_everybody_buys() -> None:
    assert list(POPULARITY.candidates(["region=moon"], quota=3).index) == [1, 2, 3]


def test_the_quota_is_spent_on_what_may_be_shown() -> None:
    found = popular_candidates(POPULARITY, ["region=north"], lambda index: index % 2 == 0, 3)
    assert found.index.tolist() == [2, 4, 6]
    assert popular_candidates(POPULARITY, ["region=north", "age_band=65+"], lambda index: index > 0, 1).index.tolist() in ([9], [1])


def test_the_first_segment_with_a_table_counts() -> None:
    assert 9 in POPULARITY.candidates(["region=moon", "region=north"], quota=5).index


def test_a_shop_without_trends_survives_storage() -> None:
    stored = Popularity.from_frame(Popularity({OVERALL: Candidates.none()}).to_frame())
    assert len(stored.candidates(["region=north"], quota=5).index) == 0
    assert len(Popularity.from_frame(stored.to_frame()).to_frame()) == 0


def test_tables_survive_storage() -> None:
    again = Popularity.from_frame(POPULARITY.to_frame())
    assert list(again.by_segment) == list(POPULARITY.by_segment)
    for name, table in POPULARITY.by_segment.items():
        assert list(again.by_segment[name].index) == list(table.index)
        assert list(again.by_segment[name].score) == list(table.score)
