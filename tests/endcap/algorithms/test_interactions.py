"""Interactions of several kinds: what counts how much, and what of it stays with a user."""

import numpy as np
import pytest

from endcap.algorithms.interactions import Interactions
from endcap.algorithms.weights import recency_weights


@pytest.fixture
def typed() -> Interactions:
    """Two users: one carted item 1, then bought it, and viewed item 2; the other viewed item 2 twice."""
    return Interactions(
        start=np.array([0, 3, 5]),
        item_index=np.array([1, 1, 2, 2, 2], dtype=np.int32),
        age_days=np.array([3, 2, 1, 9, 8], dtype=np.float32),
        item_count=3,
        signal=np.array([2, 1, 3, 3, 3], dtype=np.uint8),
        weight=np.array([0.5, 1.0, 0.25, 0.25, 0.25], dtype=np.float32),
    )


def test_strongest_signal_of_an_item_counts(typed: Interactions) -> None:
    assert typed.bought.toarray().tolist() == [[0, 1, 0.25, 0], [0, 0, 0.25, 0]]


def test_signals_of_an_item_add_up(typed: Interactions) -> None:
    assert typed.counts.toarray().tolist() == [[0, 1.5, 0.25, 0], [0, 0, 0.5, 0]]


def test_weight_of_zero_leaves_no_entry(typed: Interactions) -> None:
    without = Interactions(typed.start, typed.item_index, typed.age_days, 3, typed.signal, np.zeros(5, dtype=np.float32))
    assert without.bought.nnz == 0


def test_recent_weights_multiply_what_a_signal_counts(typed: Interactions) -> None:
    expected = [[0, np.exp(-1.0), 0.25, 0], [0, 0, 0.25, 0]]
    assert np.allclose(recency_weights(typed, 1.0).toarray(), expected)


def test_selected_users_keep_signals_and_weights(typed: Interactions) -> None:
    second = typed.of_users(np.array([1])).where(np.array([False, True]))
    assert second.signal is not None and second.signal.tolist() == [3]
    assert second.weight is not None and second.weight.tolist() == [0.25]
