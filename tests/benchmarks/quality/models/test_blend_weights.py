from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.training.conditional_logit import fit_weights
from endcap.training.held_out import HeldOut, hold_out_last
from endcap_benchmarks.quality.models.blend import choices_of

ITEMS, USERS = 40, 300


@dataclass(frozen=True)
class Scored:
    """A source that knows its scores by the user's only item."""

    table: NDArray[np.float32]

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        return self.table[histories.item_index[histories.start[:-1]]]


def held_out() -> HeldOut:
    rng = np.random.default_rng(0)
    items = rng.integers(1, ITEMS, USERS).astype(np.int32)
    histories = Interactions(np.arange(USERS + 1), items, np.ones(USERS, dtype=np.float32), ITEMS)
    return HeldOut(histories, items % ITEMS + 1)


def truth_table(noise: float, seed: int) -> NDArray[np.float32]:
    table = np.random.default_rng(seed).normal(size=(ITEMS + 1, ITEMS + 1)) * noise
    table[np.arange(ITEMS), np.arange(ITEMS) + 1] += 2.0
    return table.astype(np.float32)


def test_source_that_knows_weighs_more_than_one_that_guesses() -> None:
    weights = fit_weights(choices_of([Scored(truth_table(1.0, 1)), Scored(truth_table(9.0, 3))], held_out()))
    assert weights[0] > 5 * weights[1] >= 0


def test_source_that_is_wrong_weighs_nothing() -> None:
    weights = fit_weights(choices_of([Scored(truth_table(1.0, 1)), Scored(-truth_table(0.5, 2))], held_out()))
    assert weights[1] == 0


def test_nobody_held_out_weighs_all_alike() -> None:
    nobody, _ = hold_out_last(held_out().histories, 0, np.random.default_rng(0))
    weights = fit_weights(choices_of([Scored(truth_table(1.0, 1))] * 2, HeldOut(nobody.of_users(np.arange(0)), np.zeros(0, np.int32))))
    np.testing.assert_array_equal(weights, [1.0, 1.0])
