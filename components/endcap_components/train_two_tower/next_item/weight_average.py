"""A running average of a model's weights, which generalises better than the last of them (Izmailov et al., UAI 2018)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf


class WeightAverage(tf.keras.callbacks.Callback):
    """Keeps `average <- kept x average + (1 - kept) x weights` after every step, with less kept in the first steps."""

    def __init__(self, kept: float) -> None:
        super().__init__()
        self._kept = kept
        self._steps = tf.Variable(0.0, trainable=False)
        self._average: list[tf.Variable] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002 - as Keras calls it
        if not self._average:
            # Weights come into being with the first batch.
            self._average = [tf.Variable(weight, trainable=False) for weight in self.model.trainable_variables]
            self._update = tf.function(self._updated)
        self._update()

    def _updated(self) -> None:
        self._steps.assign_add(1.0)
        kept = tf.minimum(self._kept, self._steps / (9.0 + self._steps))
        for average, weight in zip(self._average, self.model.trainable_variables, strict=True):
            average.assign_sub((1.0 - kept) * (average - weight))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The model with the average for weights, until the block ends."""
        own = [weight.numpy() for weight in self.model.trainable_variables]
        try:
            for average, weight in zip(self._average, self.model.trainable_variables, strict=True):
                weight.assign(average)
            yield
        finally:
            for value, weight in zip(own, self.model.trainable_variables, strict=True):
                weight.assign(value)
