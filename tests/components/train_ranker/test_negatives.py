from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.engine.retrieval.candidates import CandidateSet
from endcap.engine.retrieval.user_state import UserState, user_state
from endcap.training.training_set import TrainingSet
from endcap_components.train_ranker.negatives import KeptShares, drawn_users, thinned
from endcap_components.train_ranker.shown_weights import ShownWeights
from tests.endcap.training.made_artifacts import training_dir

ITEMS = 4000
KEPT = KeptShares(0.5, 0.25)


@pytest.fixture(scope="module")
def state() -> UserState:
    """Bought every item with an index up to 1,000."""
    items: ItemTable = TrainingSet(training_dir()).items
    return replace(user_state(None, items, {}, datetime(2026, 11, 27, tzinfo=UTC)), pair_index=np.arange(1, 1001, dtype=np.int32))


@pytest.fixture(scope="module")
def candidates() -> CandidateSet:
    return CandidateSet.unsourced(np.arange(1, ITEMS + 1, dtype=np.int32))


def labels() -> np.ndarray:
    """Every hundredth was bought."""
    bought = (np.arange(ITEMS) % 100 == 0).astype(np.float32)
    return np.stack([bought, np.zeros(ITEMS, np.float32)], axis=1)


def thinned_once(state: UserState, candidates: CandidateSet, *, held_out: bool = False, users: int = 1) -> tuple[Any, ...]:
    given = np.tile(labels(), (users, 1))
    return thinned([state] * users, [candidates] * users, given, KEPT, np.full(users, held_out), np.random.default_rng(0))


def test_what_was_bought_is_kept_and_stands_for_itself(state: UserState, candidates: CandidateSet) -> None:
    _, label, weight, _ = thinned_once(state, candidates)
    assert label[:, 0].sum() == ITEMS / 100
    assert (weight[label[:, 0] > 0] == 1).all()


@pytest.mark.parametrize("new", [False, True])
def test_weights_give_the_number_of_candidates_back(state: UserState, candidates: CandidateSet, new: bool) -> None:
    _, _, weight, is_new = thinned_once(state, candidates)
    assert weight[is_new == new].sum() == pytest.approx(3000 if new else 1000, rel=0.1)


def test_sets_and_columns_stay_in_step(state: UserState, candidates: CandidateSet) -> None:
    sets, label, weight, is_new = thinned_once(state, candidates, users=2)
    index = np.concatenate([each.index for each in sets])
    assert len(index) == len(label) == len(weight) == len(is_new)
    np.testing.assert_array_equal(label[:, 0] > 0, (index - 1) % 100 == 0)
    np.testing.assert_array_equal(is_new, index > 1000)


def test_held_out_users_keep_everything(state: UserState, candidates: CandidateSet) -> None:
    sets, _, weight, _ = thinned_once(state, candidates, held_out=True)
    assert len(sets[0]) == ITEMS
    assert (weight == 1).all()


def test_at_least_one_user_is_drawn() -> None:
    assert len(drawn_users(["a", "b"], 0.1, np.random.default_rng(0))) == 1
    assert len(drawn_users([str(number) for number in range(50)], 0.2, np.random.default_rng(0))) == 10


def test_what_was_shown_is_kept_and_its_weight_with_it(state: UserState, candidates: CandidateSet) -> None:
    is_shown = np.arange(ITEMS) % 3 == 0
    shown = ShownWeights(is_shown, np.where(is_shown, 2.5, 1.0).astype(np.float32))
    drawn = np.random.default_rng(0)
    sets, _, weight, _ = thinned([state], [candidates], labels(), KEPT, np.zeros(1, dtype=bool), drawn, shown)
    kept = np.isin(sets[0].index, np.flatnonzero(is_shown) + 1)
    assert kept.sum() == is_shown.sum()
    assert (weight[kept] == 2.5).all()
    assert (weight[~kept] != 2.5).all()
