"""Normalisation of raw features inside the models, so that serving sends what the feature store holds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEVIATION_MIN = 1e-3
STANDARDISED_MAX = 6.0
"""Standardised values are cut here: one wild value must not throw a whole prediction."""


@dataclass(frozen=True)
class Standardisation:
    """Signed log1p, then mean 0 and deviation 1 by column; columns that never changed are left out.

    Attributes:
        mean: float32 [columns], of the signed logs.
        deviation: float32 [columns], 0 for a column that never changed.
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def fit(cls, values: NDArray[np.float32]) -> "Standardisation":
        """Constants of training data, float32 [rows, columns]."""
        running = RunningStandardisation(values.shape[1])
        running.add(values)
        return running.standardisation()

    @property
    def columns(self) -> NDArray[np.intp]:
        """Places of the columns that `apply` gives."""
        changed = np.flatnonzero(self.deviation)
        return changed if len(changed) else np.arange(len(self.deviation))

    def apply(self, values: Any) -> Any:
        """The same in TensorFlow: float32 [rows, columns] to float32 [rows, columns that changed]; zeros of all columns where none did.

        What never changed in training says nothing, whatever it holds later, and a network that reads it would only be larger.
        """
        import tensorflow as tf

        if not self.deviation.any():
            return tf.zeros_like(values)
        columns = self.columns
        if len(columns) < len(self.deviation):
            values = tf.gather(values, columns, axis=1)
        logs = tf.sign(values) * tf.math.log1p(tf.abs(values))
        return tf.clip_by_value((logs - self.mean[columns]) / self.deviation[columns], -STANDARDISED_MAX, STANDARDISED_MAX)


class RunningStandardisation:
    """A `Standardisation` of values that come in parts (Chan, Golub and LeVeque, American Statistician 1983)."""

    def __init__(self, columns: int) -> None:
        self._count = 0
        self._mean = np.zeros(columns)
        self._squares = np.zeros(columns)

    def add(self, values: NDArray[np.float32]) -> None:
        """Take in float32 [rows, columns], raw."""
        if not len(values):
            return
        logs = np.sign(values) * np.log1p(np.abs(values))
        count, mean = len(logs), logs.mean(axis=0, dtype=np.float64)
        distance, total = mean - self._mean, self._count + count
        self._squares += np.square(logs - mean).sum(axis=0, dtype=np.float64) + np.square(distance) * self._count * count / total
        self._mean += distance * count / total
        self._count = total

    def standardisation(self) -> Standardisation:
        """Constants of all values so far."""
        deviation = np.sqrt(self._squares / max(self._count, 1))
        return Standardisation(
            mean=self._mean.astype(np.float32), deviation=np.where(deviation < DEVIATION_MIN, 0.0, deviation).astype(np.float32)
        )
