"""95 % intervals of what is measured, free of assumptions about how times are distributed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

SAMPLES = 1_000
_BOUNDS = (2.5, 97.5)
_DEVIATIONS = 1.96

Interval = tuple[float, float]


def percentile_interval(values: ArrayLike, at: float) -> Interval | None:
    """Of a percentile, from order statistics; None below two values.

    Args:
        values: float [n].
        at: of 100.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    count, share = len(ordered), at / 100
    if count < 2:
        return None
    reach = _DEVIATIONS * np.sqrt(count * share * (1 - share))
    first = int(np.clip(np.floor(count * share - reach), 0, count - 1))
    last = int(np.clip(np.ceil(count * share + reach), 0, count - 1))
    return _rounded(ordered[first], ordered[last])


def mean_interval(values: ArrayLike, seed: int = 0) -> Interval | None:
    """Of a mean, by bootstrap over the values; None below two of them."""
    given = np.asarray(values, dtype=np.float64)
    if len(given) < 2:
        return None
    drawn = np.random.default_rng(seed).choice(given, (SAMPLES, len(given))).mean(axis=1)
    return _rounded(*np.percentile(drawn, _BOUNDS))


def ratio_of_percentiles(turns: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], at: float) -> float | None:
    """Of all values of the second over all of the first kind; None where one kind has none."""
    first, second = (np.concatenate([pair[kind] for pair in turns]) for kind in (0, 1))
    return float(np.percentile(second, at) / np.percentile(first, at)) if len(first) and len(second) else None


def ratio_interval(turns: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], at: float, seed: int = 0) -> Interval | None:
    """Of `ratio_of_percentiles`, by bootstrap over pairs of turns: values within a turn hang together. None below two pairs.

    Args:
        turns: float [n] of each kind, a pair of turns that followed one another.
        at: of 100.
        seed: of the draws.
    """
    if len(turns) < 2:
        return None
    random = np.random.default_rng(seed)
    draws = random.integers(len(turns), size=(SAMPLES, len(turns)))
    ratios = [ratio_of_percentiles([turns[place] for place in draw], at) for draw in draws]
    return _rounded(*np.percentile([ratio for ratio in ratios if ratio is not None], _BOUNDS))


def _rounded(low: float, high: float) -> Interval:
    return round(float(low), 4), round(float(high), 4)
