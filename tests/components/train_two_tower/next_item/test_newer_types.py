"""A bundle is asked about types of events that came after it."""

from pathlib import Path

import numpy as np
import pytest

from endcap.contracts.signals import SIGNAL_TYPES, VIEW_CODE
from endcap.contracts.signatures import ENCODE_QUERY
from endcap.training.tensorflow_setup import prepare_tensorflow
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import SequenceHyperparameters
from tests.endcap.training.made_signals import ITEMS, typed

prepare_tensorflow(1)

import tensorflow as tf  # noqa: E402

from endcap_components.train_two_tower.next_item.fit_sequences import fit_ensemble  # noqa: E402
from endcap_components.train_two_tower.next_item.sequence_export import export_sequence_encoder  # noqa: E402
from endcap_components.train_two_tower.window.export import input_signature  # noqa: E402

pytestmark = pytest.mark.training

SMALL = SequenceHyperparameters(dim=8, members=1, layers=1, heads=2, decays=2, epochs=1, history_encoder="mean")


def test_what_the_tower_does_not_know_is_a_view(tmp_path: Path) -> None:
    people = [f"v{1 + n % ITEMS} | v{1 + (n + 1) % ITEMS} | c{1 + (n + 2) % ITEMS} | p{1 + (n + 3) % ITEMS}" for n in range(30)]
    fit = fit_ensemble(typed(*people), np.zeros((ITEMS + 1, 0), dtype=np.int32), SMALL, seed=1)
    export_sequence_encoder(fit.towers, tmp_path / "saved_model")
    encode = tf.saved_model.load(str(tmp_path / "saved_model")).signatures[ENCODE_QUERY]

    def asked(code: int) -> np.ndarray:
        inputs = {name: np.zeros([1, *spec.shape[1:]], spec.dtype.as_numpy_dtype) for name, spec in input_signature().items()}
        inputs["history"][0, -2:], inputs["history_signal"][0, -2:] = [1, 2], [1, code]
        return encode(**{name: tf.constant(value) for name, value in inputs.items()})["embedding"].numpy()

    np.testing.assert_allclose(asked(len(SIGNAL_TYPES) + 1), asked(VIEW_CODE))
    np.testing.assert_allclose(np.linalg.norm(asked(99)), 1.0, atol=1e-5)
