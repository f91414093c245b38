"""Whether a difference between two models, paired by user, is more than chance."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

ALPHA = 0.05


def paired_p_value(difference: NDArray[np.float64]) -> float:
    """Two-sided p of the paired t-test, whose normal limit holds for the many users of a benchmark (Smucker et al., CIKM 2007).

    Args:
        difference: float64 [users], one model's values less the other's.

    Returns:
        1 where all differences are 0 or there are fewer than two users.
    """
    from scipy.stats import ttest_1samp

    if len(difference) < 2 or not difference.any():
        return 1.0
    if np.ptp(difference) == 0:
        return 0.0
    return float(ttest_1samp(difference, 0.0).pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """The same p-values for the whole family of comparisons (Holm, Scandinavian Journal of Statistics 1979)."""
    adjusted: dict[str, float] = {}
    highest = 0.0
    for place, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        highest = max(highest, min(1.0, p_values[name] * (len(p_values) - place)))
        adjusted[name] = highest
    return adjusted
