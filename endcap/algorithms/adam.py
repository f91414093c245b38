"""Adam (Kingma and Ba, ICLR 2015) on one array, for models whose gradients are written out."""

import numpy as np
from numpy.typing import NDArray

FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Changes its array in place, a step at a time."""

    def __init__(self, values: NDArray[np.float32], learning_rate: float) -> None:
        """Take hold of the float32 array to be learned."""
        self._values = values
        self._learning_rate = learning_rate
        self._mean = np.zeros_like(values)
        self._square = np.zeros_like(values)
        self._steps = 0

    def step(self, gradient: NDArray[np.float32]) -> None:
        """Go down the gradient, shaped as the array."""
        self._steps += 1
        self._mean += np.float32(1 - FIRST_DECAY) * (gradient - self._mean)
        self._square += np.float32(1 - SECOND_DECAY) * (gradient**2 - self._square)
        rate = self._learning_rate * np.sqrt(1 - SECOND_DECAY**self._steps) / (1 - FIRST_DECAY**self._steps)
        self._values -= np.float32(rate) * self._mean / (np.sqrt(self._square) + np.float32(EPSILON))
