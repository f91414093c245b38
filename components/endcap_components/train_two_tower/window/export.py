"""The trained two-tower as files: a SavedModel that encodes queries, and the items' embeddings."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.contracts.signatures import ENCODE_QUERY
from endcap.core.settings import TrainingSettings
from endcap.features.columns import CONTEXT, HISTORY_LENGTH, USER_CATEGORICAL, USER_NUMERIC
from endcap.training.moment_tables import stamp
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.checkpoints import checkpoints_of
from endcap_components.train_two_tower.distribution import Strategy
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.window.model import TwoTower
from endcap_components.train_two_tower.window.train import embeddings_at, fit_two_tower, identities


class QueryEncoder(tf.Module):
    """The signature `encode_query` of `endcap.contracts.signatures`, with the identity of every item inside."""

    def __init__(self, model: TwoTower, identity: NDArray[np.float32]) -> None:
        """
        Args:
            model: a fitted two-tower.
            identity: float32 [n + 1, dim], row 0 zeros.
        """
        super().__init__()
        self.identity = tf.Variable(identity, trainable=False, name="identity")

        def encode_query(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            history = inputs["history"]
            return {"embedding": model.query_tower(tf.gather(self.identity, history), history > 0, inputs, training=False)}

        self.encode_query = tf.function(encode_query).get_concrete_function(**input_signature())
        # Not the tower: of every Keras layer several functions would be traced and written, and read again with each load.
        self.weights = model.query_tower.variables


def input_signature() -> dict[str, tf.TensorSpec]:
    """Shapes and types of ENCODE_QUERY_INPUTS."""
    return {
        "history": tf.TensorSpec([None, HISTORY_LENGTH], tf.int32, name="history"),
        "history_age_days": tf.TensorSpec([None, HISTORY_LENGTH], tf.float32, name="history_age_days"),
        "history_signal": tf.TensorSpec([None, HISTORY_LENGTH], tf.int32, name="history_signal"),
        "user_numeric": tf.TensorSpec([None, len(USER_NUMERIC)], tf.float32, name="user_numeric"),
        "user_categories": tf.TensorSpec([None, len(USER_CATEGORICAL)], tf.int32, name="user_categories"),
        "context": tf.TensorSpec([None, len(CONTEXT)], tf.int32, name="context"),
    }


def export_query_encoder(model: TwoTower, identity: NDArray[np.float32], folder: Path) -> None:
    """Write the SavedModel.

    Args:
        model: a fitted two-tower.
        identity: float32 [n + 1, dim - 1], `identities` of the same model.
        folder: to be made.
    """
    encoder = QueryEncoder(model, identity)
    tf.saved_model.save(encoder, str(folder), signatures={ENCODE_QUERY: encoder.encode_query})


def write_window_artifact(
    training: TrainingSet, folder: Path, parameters: TwoTowerHyperparameters, seed: int, *, settings: TrainingSettings, strategy: Strategy
) -> dict[str, float]:
    """Fit, and write `saved_model/`, `item_embeddings.npy` and `item_embeddings_at/`.

    Returns:
        Metrics by name.
    """
    manifest = training.manifest
    checkpoints = checkpoints_of(settings, manifest, parameters, seed)
    model, metrics = fit_two_tower(training, parameters, seed, strategy=strategy, checkpoints=checkpoints)
    identity = identities(model)
    export_query_encoder(model, identity, folder / "saved_model")
    (folder / "item_embeddings_at").mkdir()
    for moment in (*manifest.ranking_windows, manifest.cut, manifest.data_end):
        embeddings = embeddings_at(model, identity, training.items_at(moment).numeric)
        np.save(folder / "item_embeddings_at" / f"{stamp(moment)}.npy", embeddings)
    np.save(folder / "item_embeddings.npy", embeddings)
    return metrics
