"""The query tower of the next-item objective: every step of a history becomes a query for what came next."""

import tensorflow as tf

from endcap_components.train_two_tower.next_item.history_encoders.choice import history_encoder
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import SequenceHyperparameters

START_DEVIATION = 0.02


class SequenceQueryTower(tf.keras.layers.Layer):
    """Items of the history with their place in it, through a causal encoder."""

    def __init__(self, parameters: SequenceHyperparameters, length: int) -> None:
        """
        Args:
            parameters: resolved.
            length: longest history.
        """
        super().__init__(name="query_tower")
        start = tf.keras.initializers.RandomNormal(stddev=START_DEVIATION)
        self.places = self.add_weight(name="places", shape=(length, parameters.dim), initializer=start)
        self.norm = tf.keras.layers.LayerNormalization(epsilon=1e-6)
        self.dropout = tf.keras.layers.Dropout(parameters.dropout)
        self.encoder = history_encoder(parameters, length)

    def call(self, history: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Unit length queries, one after each step.

        Args:
            history: float32 [n, steps, dim], item embeddings, oldest first from place 0; what stands after a history's end changes
                nothing before it.

        Returns:
            float32 [n, steps, dim].
        """
        placed = history + self.places[: tf.shape(history)[1]]
        encoded = self.encoder(self.dropout(self.norm(placed), training=training), training=training)
        return tf.math.l2_normalize(encoded, axis=2)
