"""Next-item towers that read what happened to an item beside which item it was."""

from pathlib import Path

import numpy as np
import pytest

from endcap.algorithms.interactions import Interactions
from endcap.contracts.signals import PURCHASE_CODE, VIEW_CODE, Signal, Signals
from endcap.contracts.signatures import ENCODE_QUERY
from endcap.features.columns import HISTORY_LENGTH
from endcap.training.acts import act_steps, history_types
from endcap.training.data_profile import DataProfile
from endcap.training.tensorflow_setup import prepare_tensorflow
from endcap_components.train_two_tower.next_item.sequence_batches import SequenceBatches
from tests.components.train_two_tower.small_tower import SMALL
from tests.endcap.training.made_signals import typed

prepare_tensorflow(1)

import tensorflow as tf  # noqa: E402

from endcap_components.train_two_tower.next_item.fit_sequences import build_tower, fit_ensemble  # noqa: E402
from endcap_components.train_two_tower.next_item.sequence_export import export_sequence_encoder  # noqa: E402
from endcap_components.train_two_tower.window.export import input_signature  # noqa: E402

pytestmark = pytest.mark.training

ITEMS = 12
LONGER = SMALL.model_copy(update={"epochs": 8, "patience": 8, "history_encoder": "decayed_attention"})


def walks(people: int, length: int, seed: int = 0) -> Interactions:
    """After a view of an item comes the next one, after a purchase the one two further, each in a visit of its own."""
    rng = np.random.default_rng(seed)
    bought = rng.random((people, length)) < 0.5
    steps = np.cumsum(np.where(bought, 2, 1), axis=1) - np.where(bought, 2, 1)
    items = (rng.integers(0, ITEMS, (people, 1)) + steps) % ITEMS + 1
    return Interactions(
        np.arange(people + 1, dtype=np.int64) * length,
        items.ravel().astype(np.int32),
        np.tile(np.arange(length, 0, -1, dtype=np.float32), people),
        ITEMS,
        np.where(bought, PURCHASE_CODE, VIEW_CODE).ravel().astype(np.uint8),
    )


def no_attributes() -> np.ndarray:
    return np.zeros((ITEMS + 1, 0), dtype=np.int32)


def test_own_view_and_cart_of_a_target_are_not_seen_and_targets_weigh_by_type() -> None:
    made = act_steps(typed("v1 v2 v1 c1 p1 v3", "v4 | v5"), Signals())
    (batch,) = SequenceBatches.of(made, 50, LONGER.resolved(DataProfile.of(made), described=False)).epoch(np.random.default_rng(0))
    rows = np.argsort(-np.count_nonzero(batch["history"], axis=1))
    assert batch["history"][rows].tolist() == [[1, 2, 1], [4, 0, 0]]
    assert batch["signal"][rows].tolist()[0] == [3, 3, 1]
    # Item 1 was seen when it was bought, so its purchase is no target; views count alike, 1 in the mean.
    assert batch["target"][rows].tolist() == [[2, 0, 3], [5, 0, 0]]
    np.testing.assert_allclose(batch["weight"][batch["target"] > 0], 1.0)


def test_people_without_a_target_are_left_out() -> None:
    signals = Signals(product_view=Signal(weight=0.2, predicted=False))
    made = act_steps(typed("v1 v2 v3", "v4 c5 | p6"), signals)
    batches = SequenceBatches.of(made, 50, LONGER.resolved(DataProfile.of(made), described=False))
    assert batches.histories.users == 1
    (batch,) = batches.epoch(np.random.default_rng(0))
    np.testing.assert_allclose(batch["weight"], [[0.5 / 0.75, 1.0 / 0.75]])


def test_types_that_history_does_not_show_change_no_query() -> None:
    shown = history_types(Signals(product_view=Signal(weight=0.2, history=False)))
    model = build_tower(np.arange(ITEMS + 1) > 0, no_attributes(), LONGER.resolved(DataProfile.of(walks(2, 3)), described=False), shown)
    raw = model.item_tower.everything()
    queries = [
        model.query_tower(tf.gather(raw, tf.constant([history])), tf.constant([[PURCHASE_CODE, VIEW_CODE]])).numpy()
        for history in ([3, 4], [3, 5])
    ]
    np.testing.assert_allclose(queries[0], queries[1], atol=1e-6)


def test_what_happened_decides_what_comes_next_and_the_export_knows_it(tmp_path: Path) -> None:
    fit = fit_ensemble(walks(300, 6), no_attributes(), LONGER, seed=1)
    unseen = walks(40, 4, seed=9)
    last = unseen.start[1:] - 1
    assert unseen.signal is not None
    expected = (unseen.item_index[last] - 1 + np.where(unseen.signal[last] == PURCHASE_CODE, 2, 1)) % ITEMS + 1
    queries = fit.towers.queries(unseen)
    assert (np.argmax(queries @ fit.towers.item_embeddings[1:].T, axis=1) + 1 == expected).mean() > 0.8
    export_sequence_encoder(fit.towers, tmp_path / "saved_model")
    inputs = {name: np.zeros([40, *spec.shape[1:]], spec.dtype.as_numpy_dtype) for name, spec in input_signature().items()}
    assert inputs["history"].shape == (40, HISTORY_LENGTH)
    inputs["history"][:, -4:] = unseen.item_index.reshape(40, 4)
    inputs["history_signal"][:, -4:] = unseen.signal.reshape(40, 4)
    signature = tf.saved_model.load(str(tmp_path / "saved_model")).signatures[ENCODE_QUERY]
    answered = signature(**{name: tf.constant(value) for name, value in inputs.items()})["embedding"]
    np.testing.assert_allclose(answered.numpy(), queries, atol=1e-5)
