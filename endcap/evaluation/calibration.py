"""Whether a probability means what it says."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CalibrationBin:
    """Predictions of about the same size, and how often what they predict came true."""

    predicted: float
    observed: float
    count: int


def calibration_curve(probability: NDArray[np.float32], happened: NDArray[np.bool_], bins: int = 15) -> list[CalibrationBin]:
    """Mean prediction and share that came true, by bins with equal counts, lowest first.

    Args:
        probability: float32 [p].
        happened: bool [p].
        bins: at most so many; equal predictions never part.
    """
    if not len(probability):
        return []
    edges = np.unique(np.quantile(probability, np.linspace(0, 1, bins + 1)[1:-1]))
    place = np.searchsorted(edges, probability, side="left")
    count = np.bincount(place, minlength=len(edges) + 1)
    predicted = np.bincount(place, weights=probability, minlength=len(edges) + 1)
    observed = np.bincount(place, weights=happened, minlength=len(edges) + 1)
    return [
        CalibrationBin(float(predicted[bin_] / count[bin_]), float(observed[bin_] / count[bin_]), int(count[bin_]))
        for bin_ in np.flatnonzero(count)
    ]


def expected_calibration_error(curve: list[CalibrationBin]) -> float:
    """Mean distance between prediction and share that came true, weighted by count (Naeini et al., AAAI 2015)."""
    total = sum(each.count for each in curve)
    return sum(each.count * abs(each.predicted - each.observed) for each in curve) / total if total else 0.0
