"""The trained ranker as a SavedModel with the signature `rank`, calibration and item embeddings inside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from endcap.contracts.signatures import RANK
from endcap.features.columns import CONTEXT, ITEM_NUMERIC, PAIR_NUMERIC, USER_CATEGORICAL, USER_NUMERIC
from endcap_components.train_ranker.blend import Blend
from endcap_components.train_ranker.calibration import PlattScaling
from endcap_components.train_ranker.model import Ranker


class ServedRanker(tf.Module):
    """The signature `rank` of `endcap.contracts.signatures`."""

    def __init__(self, model: Ranker | Blend, calibration: Mapping[str, PlattScaling], item_embeddings: NDArray[np.float32]) -> None:
        """
        Args:
            model: fitted.
            calibration: by objective, in the order of the model's.
            item_embeddings: float32 [n + 1, dim].
        """
        super().__init__()
        self.item_embeddings = tf.Variable(item_embeddings, trainable=False, name="item_embeddings")
        objectives = tuple(calibration)
        slope = tf.constant([scaling.slope for scaling in calibration.values()], tf.float32)
        offset = tf.constant([scaling.offset for scaling in calibration.values()], tf.float32)

        def rank(**inputs: tf.Tensor) -> dict[str, Any]:
            known = {name: value for name, value in inputs.items() if name != "item_index"}
            logits = model.logits(known | {"item_embedding": tf.gather(self.item_embeddings, inputs["item_index"])})
            probabilities = tf.sigmoid(logits * slope + offset)
            return {name: probabilities[:, column] for column, name in enumerate(objectives)}

        self.rank = tf.function(rank).get_concrete_function(**input_signature(item_embeddings.shape[1]))
        # Not the model: of every Keras layer several functions would be traced and written, and read again with each load.
        self.weights = model.variables


def input_signature(dim: int) -> dict[str, tf.TensorSpec]:
    """Shapes and types of RANK_INPUTS."""
    return {
        "query_embedding": tf.TensorSpec([None, dim], tf.float32, name="query_embedding"),
        "user_numeric": tf.TensorSpec([None, len(USER_NUMERIC)], tf.float32, name="user_numeric"),
        "user_categories": tf.TensorSpec([None, len(USER_CATEGORICAL)], tf.int32, name="user_categories"),
        "context": tf.TensorSpec([None, len(CONTEXT)], tf.int32, name="context"),
        "query_row": tf.TensorSpec([None], tf.int32, name="query_row"),
        "item_index": tf.TensorSpec([None], tf.int32, name="item_index"),
        "item_numeric": tf.TensorSpec([None, len(ITEM_NUMERIC)], tf.float32, name="item_numeric"),
        "pair_numeric": tf.TensorSpec([None, len(PAIR_NUMERIC)], tf.float32, name="pair_numeric"),
    }


def export_ranker(served: ServedRanker, folder: Path) -> None:
    """Write the SavedModel."""
    tf.saved_model.save(served, str(folder), signatures={RANK: served.rank})
