import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap_components.train_two_tower.window.present_visit import Batch, with_present_visits
from tests.properties import examples

LENGTH = 6


def batch(counts: list[int]) -> Batch:
    size = len(counts)
    row = np.repeat(np.arange(size, dtype=np.int32), counts)
    return Batch(
        history=np.arange(1, size * LENGTH + 1, dtype=np.int32).reshape(size, LENGTH),
        history_age_days=np.full((size, LENGTH), 9, dtype=np.float32),
        user_numeric=np.ones((size, 2), dtype=np.float32),
        user_categories=np.ones((size, 2), dtype=np.int32),
        context=np.ones((size, 2), dtype=np.int32),
        row=row,
        target=np.arange(1000, 1000 + len(row), dtype=np.int32),
        weight=np.ones(len(row), dtype=np.float32),
    )


@examples(50)
@given(counts=st.lists(st.integers(1, 6), min_size=1, max_size=8), seed=st.integers(0, 1000))
def test_every_target_is_either_shown_or_asked_for(counts: list[int], seed: int) -> None:
    whole = batch(counts)
    partly = with_present_visits(whole, 0.7, 0.0, np.random.default_rng(seed))
    for row in range(len(counts)):
        targets = set(whole.target[whole.row == row].tolist())
        asked = set(partly.target[partly.row == row].tolist())
        shown = set(partly.history[row].tolist()) & targets
        assert asked
        assert asked | shown == targets
        assert not asked & shown
        assert (partly.history_age_days[row][np.isin(partly.history[row], list(shown))] == 0).all()
        assert partly.history[row, : LENGTH - len(shown)].tolist() == whole.history[row, len(shown) :].tolist()


def test_visitor_nobody_knows_has_only_the_visit() -> None:
    partly = with_present_visits(batch([5, 5]), 1.0, 1.0, np.random.default_rng(1))
    assert (partly.user_numeric == 0).all()
    assert (partly.user_categories == 0).all()
    assert set(partly.history[partly.history > 0].tolist()) <= set(batch([5, 5]).target.tolist())
    assert (partly.history > 0).any(axis=1).all()


def test_share_of_none_changes_nothing() -> None:
    whole = batch([2, 3])
    partly = with_present_visits(whole, 0.0, 1.0, np.random.default_rng(1))
    np.testing.assert_array_equal(partly.history, whole.history)
    np.testing.assert_array_equal(partly.target, whole.target)
