import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.engine.exploration.policies import DiscountedUcb, EpsilonGreedy, ThompsonSampling
from endcap.engine.exploration.policy import Arms, Policy, choice_among

POLICIES: list[Policy] = [ThompsonSampling(), DiscountedUcb(), EpsilonGreedy()]


def arms(clicks: list[float], misses: list[float]) -> Arms:
    return Arms(np.array(clicks, np.float32), np.array(misses, np.float32), impressions_total=sum(clicks) + sum(misses))


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.name)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 60), data=st.data())
def test_a_choice_is_of_distinct_arms_each_with_its_probability(policy: Policy, seed: int, count: int, data: st.DataObject) -> None:
    random = np.random.default_rng(seed)
    most = data.draw(st.integers(1, count))
    choice = policy.choose(arms(random.gamma(0.5, 2, count).tolist(), random.gamma(1, 50, count).tolist()), most, random)
    assert len(set(choice.order.tolist())) == most
    assert choice.inclusion.shape == (most, count)
    assert np.allclose(choice.inclusion.sum(axis=1), np.arange(1, most + 1))
    assert (choice.inclusion > 0).all()
    assert (choice.inclusion <= 1 + 1e-9).all()
    assert (np.diff(choice.inclusion, axis=0) >= -1e-12).all()


def test_thompson_chooses_as_draws_of_the_beta_posteriors_do() -> None:
    known = arms([0.6, 2.5, 8.0, 40.0], [20.0, 60.0, 250.0, 900.0])
    random = np.random.default_rng(0)
    exact = np.bincount(random.beta(known.clicks, known.misses, size=(200_000, 4)).argmax(axis=1), minlength=4) / 200_000
    close = ThompsonSampling(draws=200_000, floor=0.0).choose(known, 1, random).inclusion[0]
    assert np.abs(close - exact).max() < 0.03


def test_thompson_leaves_what_is_known_to_be_bad_and_returns_to_what_is_not_known() -> None:
    choice = ThompsonSampling(draws=4096, floor=0.0).choose(arms([50, 5, 0.4], [950, 995, 19.6]), 1, np.random.default_rng(0))
    assert choice.inclusion[0, 1] < 0.001
    assert 0.02 < choice.inclusion[0, 2] < 0.5


def test_ucb_prefers_the_less_known_of_equal_rates_and_the_better_of_equally_known() -> None:
    policy, random = DiscountedUcb(floor=0.0), np.random.default_rng(0)
    assert policy.choose(arms([10, 1], [490, 49]), 1, random).order.tolist() == [1]
    assert policy.choose(arms([10, 20], [490, 480]), 1, random).order.tolist() == [1]


def test_epsilon_greedy_shows_the_best_rates_but_for_its_epsilon() -> None:
    choice = EpsilonGreedy(epsilon=0.3).choose(arms([1, 3, 2], [99, 97, 98]), 2, np.random.default_rng(0))
    assert choice.inclusion.tolist() == pytest.approx(np.array([[0.1, 0.8, 0.1], [0.2, 0.9, 0.9]]))


@pytest.mark.parametrize("floor", [0.0, 0.3])
def test_what_is_chosen_has_the_probability_that_is_said_given_the_rows(floor: float) -> None:
    worth = np.random.default_rng(1).random((16, 6)).astype(np.float32)
    shown = np.zeros((2, 6))
    random, runs = np.random.default_rng(2), 20_000
    for _ in range(runs):
        choice = choice_among(random.permutation(worth), 2, floor, random)
        shown[0, choice.order[:1]] += 1
        shown[1, choice.order] += 1
    spread = np.sqrt(choice.inclusion * (1 - choice.inclusion) / runs)
    assert (np.abs(shown / runs - choice.inclusion) <= 4.5 * spread + 1e-12).all()
