"""In the place of a two-tower that the data does not allow to train: one query for everybody, nearest to what is bought most."""

from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import tensorflow as tf
from numpy.typing import NDArray

from endcap.contracts.signatures import ENCODE_QUERY
from endcap.training.moment_tables import stamp
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.window.export import input_signature

DIM = 8


class SameForEverybody(tf.Module):
    """The signature `encode_query` of `endcap.contracts.signatures`; nothing of its inputs is read."""

    def __init__(self) -> None:
        super().__init__()
        self.query = tf.Variable(np.eye(1, DIM, dtype=np.float32), trainable=False, name="query")

    @tf.function
    def encode_query(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Inputs and outputs as `endcap.contracts.signatures` lists them."""
        return {"embedding": tf.tile(self.query, [tf.shape(inputs["history"])[0], 1])}


def write_untrained_artifact(training: TrainingSet, folder: Path) -> dict[str, float]:
    """Write `saved_model/`, `item_embeddings.npy` and `item_embeddings_at/` in the form of a trained tower's.

    Returns:
        Metrics by name.
    """
    manifest = training.manifest
    encoder = SameForEverybody()
    signature = encoder.encode_query.get_concrete_function(**input_signature())
    tf.saved_model.save(encoder, str(folder / "saved_model"), signatures={ENCODE_QUERY: signature})
    (folder / "item_embeddings_at").mkdir()
    for moment in (*manifest.ranking_windows, manifest.cut, manifest.data_end):
        embeddings = popularity_embeddings(_bought_before(training, moment))
        np.save(folder / "item_embeddings_at" / f"{stamp(moment)}.npy", embeddings)
    np.save(folder / "item_embeddings.npy", embeddings)
    return {"trained_items": 0.0}


def popularity_embeddings(bought: NDArray[np.int64]) -> NDArray[np.float32]:
    """Unit vectors whose inner product with the query falls from the item bought most to the one bought least; ties by item index.

    Args:
        bought: int64 [n + 1], how often each item was bought; index 0 does not count.

    Returns:
        float32 [n + 1, DIM], row 0 zeros.
    """
    items = len(bought) - 1
    embeddings = np.zeros((items + 1, DIM), dtype=np.float32)
    order = np.argsort(-bought[1:], kind="stable") + 1
    likeness = 1.0 - (np.arange(items) + 1.0) / (items + 1.0)
    embeddings[order, 0] = likeness
    embeddings[order, 1] = np.sqrt(1.0 - likeness**2)
    return embeddings


def _bought_before(training: TrainingSet, moment: datetime) -> NDArray[np.int64]:
    before = training.purchases_of_all.filter(pl.col("occurred_at") < moment)["item_index"].to_numpy()
    return np.bincount(before, minlength=len(training.items))
