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
    """Signed log1p, then mean 0 and deviation 1 by column.

    Attributes:
        mean: float32 [columns], of the signed logs.
        deviation: float32 [columns].
    """

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    @classmethod
    def fit(cls, values: NDArray[np.float32]) -> "Standardisation":
        """Constants of training data, float32 [rows, columns]; a column that never changes maps to 0."""
        logs = np.sign(values) * np.log1p(np.abs(values))
        deviation = logs.std(axis=0, dtype=np.float64)
        return cls(
            mean=logs.mean(axis=0, dtype=np.float64).astype(np.float32),
            deviation=np.where(deviation < DEVIATION_MIN, 1.0, deviation).astype(np.float32),
        )

    def apply(self, values: Any) -> Any:
        """The same in TensorFlow: float32 [rows, columns] to float32 [rows, columns]."""
        import tensorflow as tf

        logs = tf.sign(values) * tf.math.log1p(tf.abs(values))
        return tf.clip_by_value((logs - self.mean) / self.deviation, -STANDARDISED_MAX, STANDARDISED_MAX)
