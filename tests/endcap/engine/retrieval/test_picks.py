import numpy as np

from endcap.engine.retrieval.ordering import picks_candidates


def test_picks_keep_their_order_and_unknown_ids_are_left_out() -> None:
    found = picks_candidates(np.array([5, 0, 2, 9], np.int32), lambda index: index != 2, 10)
    assert found.index.tolist() == [5, 9]
    assert found.score[0] > found.score[1]


def test_picks_keep_to_the_quota() -> None:
    assert len(picks_candidates(np.arange(1, 9, dtype=np.int32), lambda index: index > 0, 3).index) == 3
