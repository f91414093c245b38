import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.retrieval.buy_again import UNREPEATED_SCORE, buy_again_candidates, dueness
from tests.endcap.engine.retrieval.made_states import made_state

NO_GAPS = np.zeros(10, np.float32)


def everything(index: np.ndarray) -> np.ndarray:
    return np.ones(len(index), dtype=bool)


def test_what_has_run_out_comes_before_what_was_just_bought() -> None:
    state = made_state(bought=[1, 2], days_since_bought=[0, 7])
    assert buy_again_candidates(NO_GAPS, state, everything, 10).index.tolist() == [2, 1]


def test_the_items_own_gap_decides_for_who_bought_once() -> None:
    gaps = np.array([0, 60, 7], np.float32)
    state = made_state(bought=[1, 2], times_bought=1, gap_mean_days=0, days_since_bought=8)
    assert buy_again_candidates(gaps, state, everything, 10).index.tolist() == [2, 1]


def test_ones_own_gap_outweighs_the_items_the_more_often_one_bought() -> None:
    seldom_gap = np.array([60, 60], np.float32)
    state = made_state(bought=[1, 2], times_bought=[2, 40], gap_mean_days=7, days_since_bought=5)
    regular = made_state(bought=[1, 2], times_bought=[40, 40], gap_mean_days=[7, 60], days_since_bought=5)
    first, second = dueness(state, seldom_gap)
    assert second > first
    assert dueness(regular, seldom_gap)[0] > dueness(regular, seldom_gap)[1]


def test_items_bought_again_and_again_beat_one_recent_purchase() -> None:
    state = made_state(bought=[1, 2], times_bought=[1, 6], gap_mean_days=[0, 14], decayed_60d=[1, 0.8], days_since_bought=[10, 10])
    assert buy_again_candidates(np.full(3, 14, np.float32), state, everything, 10).index.tolist() == [2, 1]


def test_items_that_nobody_buys_twice_come_last() -> None:
    state = made_state(bought=[1, 2], times_bought=1, gap_mean_days=0)
    gaps = np.array([0, 0, 30], np.float32)
    assert buy_again_candidates(gaps, state, everything, 10).index.tolist() == [2, 1]
    assert dueness(state, gaps[[1, 2]])[0] == np.float32(UNREPEATED_SCORE)


def test_the_quota_is_spent_on_what_may_be_shown() -> None:
    state = made_state(bought=[1, 2, 3], decayed_60d=[3, 2, 1])
    assert buy_again_candidates(NO_GAPS, state, lambda index: index != 1, 2).index.tolist() == [2, 3]


def test_who_bought_nothing_gets_nothing() -> None:
    assert not len(buy_again_candidates(NO_GAPS, made_state(), everything, 10).index)


@given(
    st.lists(
        st.tuples(st.integers(1, 50), st.floats(0, 400, width=32), st.floats(0, 400, width=32), st.floats(0, 400, width=32)),
        min_size=1,
        max_size=20,
    )
)
def test_dueness_is_a_factor_between_0_and_1_that_grows_with_time(rows: list[tuple[int, float, float, float]]) -> None:
    times, gap, since, item_gap = (np.array(column, np.float32) for column in zip(*rows, strict=True))
    bought = list(range(1, len(rows) + 1))
    now = made_state(bought=bought, times_bought=times, gap_mean_days=gap, days_since_bought=since)
    later = made_state(bought=bought, times_bought=times, gap_mean_days=gap, days_since_bought=since + 10)
    due = dueness(now, item_gap)
    assert ((due > 0) & (due <= 1)).all()
    assert (dueness(later, item_gap) >= due - 1e-6).all()
    assert due.dtype == np.float32
