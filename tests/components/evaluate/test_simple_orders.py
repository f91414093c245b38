"""Simple methods order candidates as they say, and as probabilities that an exported bundle can answer with."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from endcap.contracts.evaluation import Calibration
from endcap.features.columns import ITEM_NUMERIC, PAIR_NUMERIC
from endcap_components.evaluate.simple_orders import METHODS, fit_calibration, method_signature, order_of, probability_of
from tests.properties import examples

COUNTS = st.floats(0, 200, width=32, allow_subnormal=False)


def inputs(pairs: dict[str, list[float]], purchases: list[float]) -> tuple[tf.Tensor, tf.Tensor]:
    item, pair = np.zeros((len(purchases), len(ITEM_NUMERIC)), np.float32), np.zeros((len(purchases), len(PAIR_NUMERIC)), np.float32)
    item[:, ITEM_NUMERIC.index("purchases_28d")] = purchases
    for name, values in pairs.items():
        pair[:, PAIR_NUMERIC.index(name)] = values
    return tf.constant(item), tf.constant(pair)


def best_first(method: str, pairs: dict[str, list[float]], purchases: list[float]) -> list[int]:
    return np.argsort(-order_of(method, *inputs(pairs, purchases)).numpy(), kind="stable").tolist()


def test_own_items_come_first_and_popular_ones_fill_up() -> None:
    past = {"times_bought": [0, 1, 3, 0], "decayed_60d": [0, 0.9, 0.001, 0]}
    assert best_first("own_most_bought", past, [500, 0, 0, 900]) == [2, 1, 3, 0]
    assert best_first("own_decayed", past, [500, 0, 0, 900]) == [1, 2, 3, 0]
    assert best_first("popular", past, [500, 0, 7, 900]) == [3, 0, 2, 1]


def test_what_was_never_bought_follows_by_what_goes_with_the_own_items() -> None:
    past = {"times_bought": [0, 1, 0, 0], "bought_with": [0.1, 9.0, 7.5, 0]}
    assert best_first("own_most_bought", past, [1, 1, 1, 900]) == [1, 2, 0, 3]


def test_item_to_item_counts_the_past_and_the_present_visit() -> None:
    assert best_first("item_to_item", {"bought_with": [0.2, 0, 0], "item_to_item_score": [0, 4.0, 0]}, [0, 0, 9]) == [1, 0, 2]


def test_what_sold_of_late_counts_before_what_sold_once() -> None:
    item, pair = np.zeros((3, len(ITEM_NUMERIC)), np.float32), np.zeros((3, len(PAIR_NUMERIC)), np.float32)
    item[:, ITEM_NUMERIC.index("purchases_28d")] = [1, 0, 0]
    item[:, ITEM_NUMERIC.index("purchases_90d")] = [1, 3, 900]
    assert np.argsort(-order_of("popular", tf.constant(item), tf.constant(pair)).numpy()).tolist() == [0, 2, 1]


def test_where_nothing_sells_looks_tell() -> None:
    item, pair = np.zeros((4, len(ITEM_NUMERIC)), np.float32), np.zeros((4, len(PAIR_NUMERIC)), np.float32)
    item[:, ITEM_NUMERIC.index("views_28d")] = [3, 0, 9000, 50]
    item[:, ITEM_NUMERIC.index("purchases_90d")] = [0, 1, 0, 0]
    assert np.argsort(-order_of("popular", tf.constant(item), tf.constant(pair)).numpy()).tolist() == [1, 2, 3, 0]


@given(counts=st.lists(COUNTS, min_size=1, max_size=30), bought=st.lists(st.booleans(), min_size=1, max_size=30))
@examples(60)
def test_probabilities_lie_between_0_and_1_in_the_methods_order(counts: list[float], bought: list[bool]) -> None:
    order = np.array(counts, np.float32)
    happened = np.resize(np.array(bought), len(order))
    probability = probability_of(tf.constant(order), fit_calibration(order, happened)).numpy()
    assert ((probability > 0) & (probability < 1)).all()
    # Lanes of a vector and what is left over round differently.
    assert (np.diff(probability[np.argsort(order, kind="stable")]) >= -1e-6).all()


def test_probabilities_mean_what_they_say() -> None:
    rng = np.random.default_rng(0)
    order = rng.gamma(1.0, 4.0, 20_000).astype(np.float32)
    true = 1 / (1 + np.exp(-(1.2 * np.log1p(order) - 4)))
    fitted = fit_calibration(order, rng.random(20_000) < true)
    assert (fitted.slope, fitted.offset) == (pytest.approx(1.2, abs=0.1), pytest.approx(-4, abs=0.2))


@pytest.mark.parametrize("everything", [False, True])
def test_an_objective_that_never_or_always_came_true_has_its_share(everything: bool) -> None:
    order: NDArray[np.float32] = np.zeros(98, np.float32)
    probability = probability_of(tf.constant(order), fit_calibration(order, np.full(98, everything))).numpy()
    np.testing.assert_allclose(probability, 0.99 if everything else 0.01, rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_the_signature_answers_with_every_objective(method: str) -> None:
    item, pair = inputs({"times_bought": [0, 1]}, [3, 0])
    answered = method_signature(method, {"buy": Calibration(slope=1, offset=-3), "buy_again": Calibration(slope=2, offset=-6)})(
        item_numeric=item, pair_numeric=pair, query_row=tf.zeros(2, tf.int32)
    )
    assert set(answered) == {"buy", "buy_again"}
    assert (answered["buy"].numpy() > answered["buy_again"].numpy()).all()
