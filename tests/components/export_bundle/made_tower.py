"""A query tower small enough to compute by hand."""

import numpy as np
import tensorflow as tf


class Tower(tf.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = tf.Variable(np.arange(6, dtype=np.float32).reshape(2, 3))

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, "user_numeric"), tf.TensorSpec([None, 5], tf.int32, "context")])
    def encode_query(self, user_numeric: tf.Tensor, context: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"embedding": user_numeric @ self.weights + tf.cast(context[:, :1], tf.float32)}
