"""The ranker: crosses and dense layers over user, item and pair features, one logit an objective."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tensorflow_recommenders as tfrs

from endcap.features.columns import CONTEXT_SIZES
from endcap.training.normalisation import Standardisation
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters


def listwise_softmax(logits: tf.Tensor, labels: tf.Tensor, weight: tf.Tensor, query_row: tf.Tensor, queries: tf.Tensor) -> tf.Tensor:
    """Mean over queries with a purchase of the softmax cross-entropy against their purchases (ListNet, Cao et al., ICML 2007).

    Args:
        logits: float32 [m].
        labels: float32 [m], 0 or 1.
        weight: float32 [m], how many candidates each stands for; 0 leaves one out.
        query_row: int32 [m], the query of each candidate.
        queries: int32 [], how many queries there are.

    Returns:
        float32 [].
    """
    labels = labels * tf.cast(weight > 0, tf.float32)
    highest = tf.stop_gradient(tf.math.unsorted_segment_max(logits, query_row, queries))
    shifted = logits - tf.gather(highest, query_row)
    log_normaliser = tf.math.log(tf.maximum(tf.math.unsorted_segment_sum(weight * tf.exp(shifted), query_row, queries), 1e-30))
    log_share = shifted - tf.gather(log_normaliser, query_row)
    bought = tf.math.unsorted_segment_sum(labels, query_row, queries)
    per_query = -tf.math.unsorted_segment_sum(labels * log_share, query_row, queries) / tf.maximum(bought, 1.0)
    return tf.reduce_sum(per_query) / tf.maximum(tf.reduce_sum(tf.cast(bought > 0, tf.float32)), 1.0)


CATEGORY_DIM = 4
CONTEXT_DIM = 2


@dataclass(frozen=True)
class RankerConstants:
    """What the training data fixes: normalisation of each block, sizes of the user categories' vocabularies, and the objectives."""

    user_numeric: Standardisation
    item_numeric: Standardisation
    pair_numeric: Standardisation
    category_sizes: Sequence[int]
    objectives: Sequence[str]


class UserPart(tf.keras.layers.Layer):
    """All that does not depend on the candidate, computed once a query."""

    def __init__(self, constants: RankerConstants, width: int) -> None:
        super().__init__()
        self._numeric = constants.user_numeric
        # Zeros: a category or a month that training never saw must not move the score.
        self.categories = [
            tf.keras.layers.Embedding(size, CATEGORY_DIM, embeddings_initializer="zeros") for size in constants.category_sizes
        ]
        self.context = [tf.keras.layers.Embedding(size, CONTEXT_DIM, embeddings_initializer="zeros") for size in CONTEXT_SIZES]
        self.out = tf.keras.layers.Dense(width, activation="relu")

    def call(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """float32 [n, width]."""
        parts = [self._numeric.apply(inputs["user_numeric"]), inputs["query_embedding"]]
        parts += [table(inputs["user_categories"][:, column]) for column, table in enumerate(self.categories)]
        parts += [table(inputs["context"][:, column]) for column, table in enumerate(self.context)]
        return self.out(tf.concat(parts, axis=1))


class RankerNetwork(tf.keras.layers.Layer):
    """One member: DCN v2 (Wang et al., WWW 2021), crosses first, dense layers after, a shared bottom for all objectives."""

    def __init__(self, parameters: RankerHyperparameters, constants: RankerConstants) -> None:
        super().__init__()
        self._constants = constants
        self.user = UserPart(constants, parameters.user_width)
        self.item = tf.keras.layers.Dense(parameters.item_width)
        self.crosses = [tfrs.layers.dcn.Cross() for _ in range(parameters.cross_layers)]
        self.dense = [tf.keras.layers.Dense(width, activation="relu") for width in parameters.hidden]
        self.dropout = tf.keras.layers.Dropout(parameters.dropout)
        self.out = tf.keras.layers.Dense(len(constants.objectives))

    def call(self, inputs: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """float32 [m, objectives], logits."""
        row = inputs["query_row"]
        near = tf.reduce_sum(tf.gather(inputs["query_embedding"], row) * inputs["item_embedding"], axis=1, keepdims=True)
        first = tf.concat(
            [
                self._constants.pair_numeric.apply(inputs["pair_numeric"]),
                self._constants.item_numeric.apply(inputs["item_numeric"]),
                4.0 * near,
                self.item(inputs["item_embedding"]),
                tf.gather(self.user(inputs), row),
            ],
            axis=1,
        )
        crossed = first
        for cross in self.crosses:
            crossed = cross(first, crossed)
        for dense in self.dense:
            crossed = self.dropout(dense(crossed), training=training)
        return self.out(crossed)


class Ranker(tfrs.Model):
    """Members trained side by side on the same batches; their logits are averaged for use."""

    def __init__(self, parameters: RankerHyperparameters, constants: RankerConstants) -> None:
        super().__init__()
        self.members = [RankerNetwork(parameters, constants) for _ in range(parameters.members)]
        self._listwise_weight = parameters.listwise_weight
        self._listwise_new_weight = parameters.listwise_new_weight

    def compute_loss(self, inputs: Mapping[str, Any], training: bool = False) -> tf.Tensor:
        """Sum over members of their cross-entropies and listwise loss."""
        queries = tf.shape(inputs["user_numeric"])[0]
        return tf.add_n([self._member_loss(member(inputs, training=training), inputs, queries) for member in self.members])

    def _member_loss(self, logits: tf.Tensor, inputs: Mapping[str, Any], queries: tf.Tensor) -> tf.Tensor:
        labels, weight, row = inputs["labels"], inputs["weight"], inputs["query_row"]
        crossed = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits), axis=1)
        loss = tf.reduce_sum(weight * crossed) / tf.reduce_sum(weight)
        if self._listwise_weight:
            loss += self._listwise_weight * listwise_softmax(logits[:, 0], labels[:, 0], weight, row, queries)
        if self._listwise_new_weight:
            of_new = weight * tf.cast(inputs["is_new"], tf.float32)
            loss += self._listwise_new_weight * listwise_softmax(logits[:, 0], labels[:, 0], of_new, row, queries)
        return loss

    def logits(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """float32 [m, objectives], the members' mean."""
        return tf.add_n([member(inputs, training=False) for member in self.members]) / float(len(self.members))
