"""What stands in the place of a ranker that the data does not allow to train: the order of what the candidate sources say."""

from typing import Any

import tensorflow as tf

from endcap.contracts.signatures import RANK
from endcap.features.columns import PAIR_NUMERIC
from endcap_components.train_ranker.export import input_signature

WEIGHTS = {
    "decayed_60d": 2.0,
    "item_to_item_score": 2.0,
    "bought_with": 1.0,
    "ease_score": 2.0,
    "popular_score": 1.0,
    "left_in_cart_score": 2.0,
}
"""By column of a pair, of its logarithm: what a person buys or carted comes first, then what goes with it, then what everybody buys."""
OFFSET = -4.0
"""Of the logit, so that scores look like chances of a purchase; they are no calibrated probabilities."""


class SummedScores(tf.Module):
    """The signature `rank` of `endcap.contracts.signatures`; of its inputs the pairs' columns are what is read."""

    def __init__(self, dim: int) -> None:
        """
        Args:
            dim: of the two-tower's embeddings.
        """
        super().__init__()
        self.weights = tf.Variable([WEIGHTS.get(name, 0.0) for name in PAIR_NUMERIC], trainable=False, name="weights")
        self.rank = tf.function(self._rank).get_concrete_function(**input_signature(dim))

    def _rank(self, **inputs: tf.Tensor) -> dict[str, Any]:
        logs = tf.math.log1p(tf.maximum(inputs["pair_numeric"], 0.0))
        buy = tf.sigmoid(OFFSET + tf.linalg.matvec(logs, self.weights))
        return {"buy": buy, "buy_again": buy * buy}


def export_untrained_ranker(dim: int, folder: str) -> None:
    """Write the SavedModel for two-tower embeddings of a length."""
    summed = SummedScores(dim)
    tf.saved_model.save(summed, folder, signatures={RANK: summed.rank})
