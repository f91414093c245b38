"""The value of showing a candidate: a weighted product of calibrated probabilities, margin and price, as its surface configures it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

PROBABILITY_FLOOR = 1e-6
MARGIN_FLOOR = 0.01
"""An item sold at a loss is worth little, not nothing: a product with a zero in it would order nothing."""
PRICE_FLOOR = 0.01


def value_scores(
    probabilities: Mapping[str, NDArray[np.float32]],
    exponents: Mapping[str, float],
    margin: NDArray[np.float32] | None = None,
    price: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """prod over objectives of probability ** exponent, times margin ** a, times price ** b; float32 [m].

    Args:
        probabilities: by objective, float32 [m] in [0, 1].
        exponents: by objective, and under `margin` and `price`; one that is missing counts as 0, so it does not matter.
        margin: float32 [m], share of the price, NaN where unknown.
        price: float32 [m], NaN where unknown.

    Raises:
        KeyError: an exponent's objective has no probabilities.
    """
    columns = {"margin": (margin, MARGIN_FLOOR), "price": (price, PRICE_FLOOR)}
    logs = []
    for name, exponent in exponents.items():
        if not exponent:
            continue
        if name in columns:
            values, floor = columns[name]
            if values is not None:
                logs.append(np.float32(exponent) * _known_logs(values, floor))
        else:
            logs.append(np.float32(exponent) * np.log(np.maximum(probabilities[name], PROBABILITY_FLOOR)))
    count = len(next(iter(probabilities.values())))
    value: NDArray[np.float32] = np.exp(np.sum(logs, axis=0)).astype(np.float32) if logs else np.ones(count, dtype=np.float32)
    return value


def _known_logs(values: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
    """Logarithms; what is unknown counts as the mean of what is known, so that it neither gains nor loses by it."""
    logs = np.log(np.maximum(values, np.float32(floor)))
    unknown = np.isnan(logs)
    if unknown.any():
        logs[unknown] = logs[~unknown].mean() if not unknown.all() else 0
    return logs
