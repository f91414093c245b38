"""Calibration: probabilities that mean what they say, fitted on users the ranker never saw."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEWTON_STEPS = 50
STEP_MAX = 2.0
"""Newton's method is held to this much a step: few labels, or labels that the logit tells apart, would throw it far off."""
SLOPE_MIN = 1e-3


@dataclass(frozen=True)
class PlattScaling:
    """probability = sigmoid(slope x logit + offset) (Platt 1999)."""

    slope: float
    offset: float

    @classmethod
    def fit(cls, logit: NDArray[np.float32], label: NDArray[np.float32]) -> "PlattScaling":
        """Maximum likelihood by Newton's method; the identity when one of the two classes is missing.

        Labels count as if each class had been seen once more and once wrongly, as Platt does: logits that separate the classes get a
        finite slope.

        Args:
            logit: float32 [m].
            label: float32 [m], 0 or 1.
        """
        if not 0 < label.sum() < len(label):
            return cls(1.0, 0.0)
        x, happened = logit.astype(np.float64), float(label.sum())
        y = np.where(label > 0, (happened + 1) / (happened + 2), 1 / (len(label) - happened + 2))
        slope, offset = 1.0, 0.0
        for _ in range(NEWTON_STEPS):
            probability = _sigmoid(slope * x + offset)
            gradient = np.array([np.mean((probability - y) * x), np.mean(probability - y)])
            spread = probability * (1 - probability)
            hessian = np.array([[np.mean(spread * x * x), np.mean(spread * x)], [np.mean(spread * x), np.mean(spread)]])
            step = np.clip(np.linalg.solve(hessian + 1e-9 * np.eye(2), gradient), -STEP_MAX, STEP_MAX)
            slope, offset = slope - step[0], offset - step[1]
            if np.abs(step).max() < 1e-9:
                break
        return cls(max(float(slope), SLOPE_MIN), float(offset))

    def probability(self, logit: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [m] in (0, 1)."""
        return _sigmoid(self.slope * logit.astype(np.float64) + self.offset).astype(np.float32)


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.5 * (1.0 + np.tanh(0.5 * values))
