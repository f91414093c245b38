import numpy as np
import pytest

from endcap.engine.ranking.value import default_value, untrained_objectives, usable_value, value_scores

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


@pytest.mark.parametrize(
    ("happened", "value"),
    [
        ({"buy": 5000, "buy_again": 80, "cart": 9000, "view": 90000}, {"buy": 1.0}),
        ({"buy": 3, "buy_again": 1}, {"buy": 1.0}),
        ({"buy": 374, "cart": 900, "view": 14500}, {"buy": 1.0, "cart": 0.5, "view": 0.25}),
        ({"view": 14500}, {"view": 0.25}),
    ],
)
def test_with_few_purchases_carts_and_views_join_the_value(happened, value):
    assert default_value(happened) == value


@pytest.mark.parametrize(
    ("stated", "usable"),
    [
        (None, {"buy": 1.0}),
        ({"buy": 1.0, "view": 0.5, "margin": 0.2}, {"buy": 1.0, "margin": 0.2}),
        ({"cart": 1.0}, {"buy": 1.0}),
    ],
)
def test_objectives_that_a_bundle_lacks_are_ignored(stated, usable):
    assert usable_value(stated, {"buy": 1.0}, ["buy", "buy_again"]) == usable


@pytest.mark.parametrize(
    ("stated", "untrained"),
    [
        (None, []),
        ({"buy": 1.0, "margin": 0.5, "price": 1.0}, []),
        ({"view": 1.0, "buy": 1.0, "cart": -1.0}, ["view", "cart"]),
        ({"view": 0.0}, []),
    ],
)
def test_objectives_that_are_stated_and_not_trained_are_named(stated, untrained):
    assert untrained_objectives(stated, ["buy", "buy_again"]) == untrained
