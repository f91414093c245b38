"""The value of showing a candidate: a weighted product of calibrated probabilities, as configured."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

PROBABILITY_FLOOR = 1e-6


def value_scores(probabilities: Mapping[str, NDArray[np.float32]], exponents: Mapping[str, float]) -> NDArray[np.float32]:
    """prod over objectives of probability ** exponent, float32 [m].

    Args:
        probabilities: by objective, float32 [m] in [0, 1].
        exponents: by objective; one that is missing counts as 0, so the objective does not matter.
    """
    logs = [
        np.float32(exponent) * np.log(np.maximum(probabilities[objective], PROBABILITY_FLOOR))
        for objective, exponent in exponents.items()
        if exponent
    ]
    value: NDArray[np.float32] = np.exp(np.sum(logs, axis=0)).astype(np.float32)
    return value
