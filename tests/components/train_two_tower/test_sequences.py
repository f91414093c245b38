from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.contracts.signatures import ENCODE_QUERY
from endcap.features.columns import HISTORY_LENGTH
from endcap.training.data_profile import DataProfile
from endcap.training.tensorflow_setup import prepare_tensorflow
from endcap_components.train_two_tower.next_item.sequence_batches import SequenceBatches
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import SequenceHyperparameters
from tests.components.train_two_tower.small_tower import SMALL

prepare_tensorflow(1)

import tensorflow as tf  # noqa: E402

from endcap_components.train_two_tower.fitted_tower import TowerEnsemble  # noqa: E402
from endcap_components.train_two_tower.next_item.fit_sequences import EnsembleFit, build_tower, fit_ensemble  # noqa: E402
from endcap_components.train_two_tower.next_item.sequence_export import export_sequence_encoder  # noqa: E402
from endcap_components.train_two_tower.window.export import input_signature  # noqa: E402

pytestmark = pytest.mark.training

ITEMS = 24
ENCODERS = ("mean", "gru", "self_attention", "decayed_attention")


def chains(users: int, length: int, seed: int = 0) -> Interactions:
    """Item i is always followed by i + 1, the last by the first."""
    first = np.random.default_rng(seed).integers(0, ITEMS, users)
    items = (first[:, None] + np.arange(length)) % ITEMS + 1
    start = np.arange(users + 1, dtype=np.int64) * length
    age = np.tile(np.arange(length, 0, -1, dtype=np.float32), users)
    return Interactions(start, items.ravel().astype(np.int32), age, ITEMS)


def no_attributes() -> NDArray[np.int32]:
    return np.zeros((ITEMS + 1, 0), dtype=np.int32)


def following(fit: EnsembleFit, histories: Interactions) -> NDArray[np.int64]:
    """Best scored item of each history."""
    return np.argmax(fit.towers.queries(histories) @ fit.towers.item_embeddings[1:].T, axis=1) + 1


@pytest.fixture(scope="module")
def joined() -> TowerEnsemble:
    """Two members after an epoch."""
    return fit_ensemble(chains(60, 6), no_attributes(), SMALL.model_copy(update={"epochs": 1, "members": 2}), seed=1).towers


@pytest.mark.parametrize("encoder", ENCODERS)
def test_step_sees_nothing_that_comes_later_and_padding_changes_nothing(encoder: str) -> None:
    parameters = SMALL.model_copy(update={"history_encoder": encoder})
    model = build_tower(np.arange(ITEMS + 1) > 0, no_attributes(), parameters)
    raw = model.item_tower.everything()
    steps = np.random.default_rng(0).normal(size=(3, 9, 16)).astype(np.float32)
    whole = model.query_tower(steps).numpy()
    changed = steps.copy()
    changed[:, 5:] = 7.0
    np.testing.assert_allclose(model.query_tower(changed).numpy()[:, :5], whole[:, :5], atol=1e-5)
    np.testing.assert_allclose(model.query_tower(steps[:, :5]).numpy(), whole[:, :5], atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=2), 1.0, atol=1e-5)
    assert raw.shape == (ITEMS + 1, 16)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_item_that_always_follows_is_learned(encoder: str) -> None:
    # With self-attention one tower alone stops too early: it knows the held out after an epoch, shorter histories not yet.
    members = 2 if encoder == "self_attention" else 1
    fit = fit_ensemble(chains(200, 6), no_attributes(), SMALL.model_copy(update={"history_encoder": encoder, "members": members}), seed=1)
    unseen = chains(30, 4, seed=9)
    expected = unseen.item_index[unseen.start[1:] - 1] % ITEMS + 1
    # A mean does not know what came last; places in the history tell it something.
    assert (following(fit, unseen) == expected).mean() > (0.2 if encoder == "mean" else 0.8)


def test_sampled_softmax_learns_the_same() -> None:
    parameters = SMALL.model_copy(update={"history_encoder": "decayed_attention", "full_softmax_items_max": 10, "negatives": 8})
    fit = fit_ensemble(chains(200, 6), no_attributes(), parameters, seed=1)
    unseen = chains(30, 4, seed=9)
    assert (following(fit, unseen) == unseen.item_index[unseen.start[1:] - 1] % ITEMS + 1).mean() > 0.8


def test_embeddings_have_unit_length_and_nobody_has_a_query(joined: TowerEnsemble) -> None:
    without_history = Interactions(np.array([0, 0, 2]), np.array([3, 4], dtype=np.int32), np.array([2, 1], dtype=np.float32), ITEMS)
    for towers in (joined, joined.members[0]):
        for vectors in (towers.item_embeddings[1:], towers.queries(without_history)):
            np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
        assert not towers.item_embeddings[0].any()


def test_joined_towers_score_the_mean_of_their_members(joined: TowerEnsemble) -> None:
    unseen = chains(5, 4, seed=9)
    of_members = [member.queries(unseen) @ member.item_embeddings.T for member in joined.members]
    np.testing.assert_allclose(joined.queries(unseen) @ joined.item_embeddings.T, np.mean(of_members, axis=0), atol=1e-5)
    assert np.abs(of_members[0] - of_members[1]).max() > 0.1


def test_export_answers_encode_query_as_the_tower_does(joined: TowerEnsemble, tmp_path: Path) -> None:
    export_sequence_encoder(joined, tmp_path / "saved_model")
    unseen = chains(6, 4, seed=9).where(np.arange(24) > 3)
    history = np.zeros((6, HISTORY_LENGTH), dtype=np.int32)
    history[1:, -4:] = unseen.item_index.reshape(5, 4)
    inputs = {name: np.zeros([6, *spec.shape[1:]], spec.dtype.as_numpy_dtype) for name, spec in input_signature().items()}
    signature = tf.saved_model.load(str(tmp_path / "saved_model")).signatures[ENCODE_QUERY]
    answered = signature(**{name: tf.constant(value) for name, value in (inputs | {"history": history}).items()})["embedding"]
    np.testing.assert_allclose(answered.numpy(), joined.queries(unseen), atol=1e-5)


def test_item_without_purchases_lies_near_those_with_its_attribute() -> None:
    interactions = chains(200, 6)
    attributes = np.zeros((ITEMS + 2, 1), dtype=np.int32)
    attributes[1:, 0] = (np.arange(ITEMS + 1) // 6) % 4 + 1
    attributes[ITEMS + 1, 0] = attributes[5, 0]
    wider = Interactions(interactions.start, interactions.item_index, interactions.age_days, ITEMS + 1)
    unit = fit_ensemble(wider, attributes, SMALL, seed=1).towers.item_embeddings
    closeness = unit[1:-1] @ unit[-1]
    same = attributes[1:-1, 0] == attributes[ITEMS + 1, 0]
    assert closeness[same].mean() > closeness[~same].mean() + 0.1


def test_every_step_but_the_first_is_a_target_once() -> None:
    parameters = SMALL.resolved(DataProfile.of(chains(50, 6)), described=False)
    batches = SequenceBatches.of(chains(50, 6), 50, parameters)
    targets = [batch["target"] for batch in batches.epoch(np.random.default_rng(0))]
    assert sum(np.count_nonzero(target) for target in targets) == 50 * 5
    assert max(np.count_nonzero(target) for target in targets) <= parameters.positions + 5


def test_two_fits_of_a_seed_are_the_same() -> None:
    towers = []
    for _ in range(2):
        prepare_tensorflow(3)
        towers.append(fit_ensemble(chains(40, 5), no_attributes(), SMALL.model_copy(update={"epochs": 2}), seed=3).towers)
    np.testing.assert_allclose(towers[0].item_embeddings, towers[1].item_embeddings, atol=1e-5)


def test_towers_without_attributes_get_twice_the_epochs() -> None:
    profile = DataProfile.of(chains(50, 6))
    with_attributes, without = (SequenceHyperparameters().resolved(profile, described=described).epochs for described in (True, False))
    assert with_attributes is not None
    assert without == 2 * with_attributes
    assert SequenceHyperparameters(epochs=3).resolved(profile, described=False).epochs == 3
