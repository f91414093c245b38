import numpy as np
import pytest

from endcap.engine.ranking.value import value_scores

PROBABILITIES = {"buy": np.array([0.1, 0.2, 0.0], np.float32), "buy_again": np.array([0.4, 0.1, 0.5], np.float32)}


def test_value_is_the_product_of_powers() -> None:
    value = value_scores(PROBABILITIES, {"buy": 1.0, "buy_again": 0.5})
    assert value[:2] == pytest.approx([0.1 * 0.4**0.5, 0.2 * 0.1**0.5], rel=1e-5)


def test_an_exponent_of_zero_leaves_the_objective_out() -> None:
    assert value_scores(PROBABILITIES, {"buy": 1.0, "buy_again": 0.0})[:2] == pytest.approx([0.1, 0.2], rel=1e-5)


def test_impossible_items_come_last_but_keep_a_score() -> None:
    value = value_scores(PROBABILITIES, {"buy": 1.0})
    assert value.argmin() == 2
    assert np.isfinite(value).all()
