import numpy as np
import pytest

from endcap.algorithms.algorithm import Fitted, HasItemVectors, TrainingData
from endcap.algorithms.interactions import Interactions
from endcap_benchmarks.quality.models.blend import Blend
from endcap_benchmarks.quality.models.two_tower import TwoTower

pytestmark = pytest.mark.training

ITEMS = 20
SMALL = {
    "dim": 16,
    "layers": 1,
    "heads": 2,
    "decays": 2,
    "members": 1,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "positions": 64,
    "epochs": 5,
    "patience": 5,
    "learning_rate": 1e-2,
    "weight_average": 0.5,
}


def chains(users: int, length: int, seed: int) -> Interactions:
    """Item i is always followed by i + 1, the last by the first."""
    first = np.random.default_rng(seed).integers(0, ITEMS, users)
    items = ((first[:, None] + np.arange(length)) % ITEMS + 1).ravel().astype(np.int32)
    age = np.tile(np.arange(length, 0, -1, dtype=np.float32), users)
    return Interactions(np.arange(users + 1, dtype=np.int64) * length, items, age, ITEMS)


def ranks_next_items_first(fitted: Fitted) -> bool:
    unseen = chains(40, 4, 9)
    scores = fitted.scores(unseen)
    assert scores.shape == (40, ITEMS + 1)
    assert np.isneginf(scores[:, 0]).all()
    scores[unseen.user_row, unseen.item_index] = -np.inf
    following = unseen.item_index[unseen.start[1:] - 1] % ITEMS + 1
    return bool((np.argmax(scores, axis=1) == following).mean() > 0.8)


@pytest.fixture
def purchases() -> TrainingData:
    attributes = np.zeros((ITEMS + 1, 1), dtype=np.int32)
    attributes[1:, 0] = np.arange(ITEMS) % 4 + 1
    return TrainingData(chains(150, 6, 0), None, attributes)


def test_tower_ranks_the_next_item_of_a_chain_first_and_has_vectors_for_the_table(purchases: TrainingData) -> None:
    fitted = TwoTower(hyperparameters=SMALL).fit(purchases, seed=1)
    assert ranks_next_items_first(fitted)
    assert isinstance(fitted, HasItemVectors)
    assert fitted.item_vectors().shape == (ITEMS + 1, 16)


def test_blend_ranks_the_next_item_of_a_chain_first(purchases: TrainingData) -> None:
    assert ranks_next_items_first(Blend(hyperparameters=SMALL, towers=1, towers_without_attributes=1).fit(purchases, seed=1))
