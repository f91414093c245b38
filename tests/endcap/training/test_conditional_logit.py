"""Weights are those by which candidates were chosen."""

import numpy as np
import pytest

from endcap.training.conditional_logit import Choices, fit_weights

CHOICES, EACH = 3_000, 12


def made_choices(weights: list[float], offset: float = 0.0, seed: int = 0) -> Choices:
    """Each choice takes one candidate, by chances that grow with the weighted terms; candidates that stand for many are drawn as often."""
    random = np.random.default_rng(seed)
    terms = random.normal(size=(CHOICES * EACH, len(weights)))
    stands_for = np.where(random.random(len(terms)) < 0.5, offset, 0.0)
    utility = (terms @ weights + stands_for + random.gumbel(size=len(terms))).reshape(CHOICES, EACH)
    share = np.zeros_like(utility)
    share[np.arange(CHOICES), utility.argmax(axis=1)] = 1
    return Choices(terms, np.arange(0, CHOICES * EACH + 1, EACH), share.ravel(), stands_for if offset else None)


@pytest.mark.parametrize("weights", [[1.0, 0.0], [0.3, 2.0], [0.0, 0.0]])
def test_weights_of_the_choosers_are_found(weights: list[float]) -> None:
    assert fit_weights(made_choices(weights)).tolist() == pytest.approx(weights, abs=0.1)


def test_candidates_that_stand_for_several_count_as_many() -> None:
    assert fit_weights(made_choices([1.0, 0.5], offset=2.0)).tolist() == pytest.approx([1.0, 0.5], abs=0.1)


def test_what_speaks_against_being_chosen_weighs_nothing() -> None:
    assert fit_weights(made_choices([1.0, -1.0]))[1] == 0


def test_without_choices_all_terms_count_alike() -> None:
    nothing = Choices(np.zeros((0, 3)), np.zeros(1, dtype=np.int64), np.zeros(0))
    assert fit_weights(nothing).tolist() == [1.0, 1.0, 1.0]
