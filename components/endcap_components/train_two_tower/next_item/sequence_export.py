"""The next-item two-tower as files: a SavedModel that encodes queries, and the items' embeddings."""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from endcap.algorithms.interactions import Interactions
from endcap.contracts.signals import VIEW_CODE
from endcap.contracts.signatures import ENCODE_QUERY
from endcap.training.moment_tables import stamp
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.fitted_tower import FittedTower, TowerEnsemble
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.next_item.fit_sequences import fit_ensemble
from endcap_components.train_two_tower.window.export import input_signature


class SequenceQueryEncoder(tf.Module):
    """The signature `encode_query` of `endcap.contracts.signatures`; of its inputs the history and its types are what is read."""

    def __init__(self, towers: TowerEnsemble) -> None:
        super().__init__()
        members = [MemberEncoder(member) for member in towers.members]

        def encode_query(**inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            history = inputs["history"]
            present = history > 0
            length = tf.reduce_sum(tf.cast(present, tf.int32), axis=1)
            # Histories come with padding in front and are read from place 0: sorting by presence is stable, so the order stays.
            order = tf.argsort(tf.cast(present, tf.int32), axis=1, direction="DESCENDING", stable=True)
            aligned, signal = (tf.gather(values, order, batch_dims=1) for values in (history, inputs["history_signal"]))
            side_by_side = tf.concat([member.query(aligned, signal, length) for member in members], axis=1)
            return {"embedding": side_by_side * len(members) ** -0.5}

        self.encode_query = tf.function(encode_query).get_concrete_function(**input_signature())
        # Not the towers: of every Keras layer several functions would be traced and written, and read again with each load.
        self.weights = [variable for member in members for variable in member.variables]


class MemberEncoder:
    """The query tower of one member, with its items."""

    def __init__(self, tower: FittedTower) -> None:
        self._query_tower: Any = tower.model.query_tower
        self._raw = tf.Variable(tower.raw, trainable=False, name="raw")
        self._cold_start_query = tf.Variable(tower.cold_start_query, trainable=False, name="cold_start_query")

    @property
    def variables(self) -> list[tf.Variable]:
        """All that `query` reads."""
        return [*self._query_tower.variables, self._raw, self._cold_start_query]

    def query(self, aligned: tf.Tensor, signal: tf.Tensor, length: tf.Tensor) -> tf.Tensor:
        """float32 [n, dim] for items and types, int32 [n, steps], oldest first from place 0, and int32 [n].

        A type that is newer than the tower is read as a view: somebody looked at the item at least.
        """
        if self._query_tower.types is not None:
            signal = tf.where(signal < len(self._query_tower.types), signal, VIEW_CODE)
        encoded = self._query_tower(tf.gather(self._raw, aligned), signal, training=False)
        last = tf.gather(encoded, tf.maximum(length - 1, 0), batch_dims=1)
        return tf.where(length[:, None] > 0, last, self._cold_start_query[None, :])


def export_sequence_encoder(towers: TowerEnsemble, folder: Path) -> None:
    """Write the SavedModel.

    Args:
        towers: fitted.
        folder: to be made.
    """
    encoder = SequenceQueryEncoder(towers)
    tf.saved_model.save(encoder, str(folder), signatures={ENCODE_QUERY: encoder.encode_query})


def write_next_item_artifact(
    training: TrainingSet, interactions: Interactions, folder: Path, parameters: TwoTowerHyperparameters, seed: int
) -> dict[str, float]:
    """Fit, and write `saved_model/`, `item_embeddings.npy` and `item_embeddings_at/`, which holds the same for every moment.

    Args:
        training: the training set.
        interactions: `endcap_components.train_two_tower.step` of it.
        folder: to write to.
        parameters: of the two-tower.
        seed: of everything random.

    Returns:
        Metrics by name.
    """
    manifest = training.manifest
    fit = fit_ensemble(interactions, training.attribute_codes, parameters.next_item, seed, signals=manifest.signals)
    export_sequence_encoder(fit.towers, folder / "saved_model")
    embeddings = fit.towers.indexed_embeddings
    (folder / "item_embeddings_at").mkdir()
    for moment in (*manifest.ranking_windows, manifest.cut, manifest.data_end):
        np.save(folder / "item_embeddings_at" / f"{stamp(moment)}.npy", embeddings)
    np.save(folder / "item_embeddings.npy", embeddings)
    return fit.metrics
