"""Trains NCF in Keras and gives its weights back, so that what scores needs no TensorFlow."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf
import tf_keras as keras

from endcap.algorithms.ncf_arrays import Batch, NcfWeights


class NcfModel(keras.Model):  # type: ignore[misc]
    """Logits of int32 [b, l] histories and int32 [b] items; an item is left out of its own history."""

    def __init__(self, item_count: int, dimensions: int, seed: int) -> None:
        """Start values follow from `seed`."""
        super().__init__()
        start = [keras.initializers.RandomNormal(stddev=0.05, seed=seed + place) for place in range(2)]
        glorot = [keras.initializers.GlorotUniform(seed=seed + 2 + place) for place in range(3)]
        self.history = keras.layers.Embedding(item_count + 1, 2 * dimensions, embeddings_initializer=start[0])
        self.item = keras.layers.Embedding(item_count + 1, 2 * dimensions, embeddings_initializer=start[1])
        self.item_bias = keras.layers.Embedding(item_count + 1, 1, embeddings_initializer="zeros")
        self.first = keras.layers.Dense(max(dimensions // 2, 1), activation="relu", kernel_initializer=glorot[0])
        self.second = keras.layers.Dense(max(dimensions // 4, 1), activation="relu", kernel_initializer=glorot[1])
        self.output_layer = keras.layers.Dense(1, use_bias=False, kernel_initializer=glorot[2])
        self.dimensions = dimensions

    def call(self, inputs: tuple[Any, Any]) -> Any:
        """float32 [b]."""
        history, item = inputs
        counts = tf.cast((history > 0) & (history != item[:, None]), tf.float32)
        user = tf.einsum("bl,ble->be", counts, self.history(history)) / tf.maximum(tf.reduce_sum(counts, axis=1, keepdims=True), 1.0)
        target = self.item(item)
        d = self.dimensions
        layers = self.second(self.first(tf.concat([user[:, d:], target[:, d:]], axis=1)))
        both = tf.concat([user[:, :d] * target[:, :d], layers], axis=1)
        return (self.output_layer(both) + self.item_bias(item))[:, 0]


def train_ncf(
    batches: Iterable[Batch], *, history_length: int, item_count: int, dimensions: int, learning_rate: float, seed: int
) -> NcfWeights:
    """Logistic loss on what was bought and what was not, with Adam; start values follow from `seed`."""
    model = NcfModel(item_count, dimensions, seed)
    optimiser = keras.optimizers.Adam(learning_rate)

    @tf.function(input_signature=[tf.TensorSpec([None, history_length], tf.int32), tf.TensorSpec([None], tf.int32), tf.TensorSpec([None])])  # type: ignore[untyped-decorator]
    def step(history: Any, item: Any, label: Any) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=label, logits=model((history, item))))
        optimiser.apply_gradients(zip(tape.gradient(loss, model.trainable_variables), model.trainable_variables, strict=True))

    for batch in batches:
        step(batch.history, batch.item, batch.label)
    first, second = (tuple(layer.get_weights()) for layer in (model.first, model.second))
    return NcfWeights(
        history=model.history.get_weights()[0],
        item=model.item.get_weights()[0],
        item_bias=model.item_bias.get_weights()[0][:, 0],
        first=(first[0], first[1]),
        second=(second[0], second[1]),
        output=model.output_layer.get_weights()[0][:, 0],
    )
