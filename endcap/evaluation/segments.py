"""Parts of the users that are looked at by themselves."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

SEGMENT_USERS_MIN = 30
"""Smaller segments are left out: their intervals would say nothing."""


def history_terciles(history_length: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Three parts of about equal size by how many distinct items a user had bought; bool [users] by name."""
    low, high = np.quantile(history_length, [1 / 3, 2 / 3])
    return {
        f"history: up to {low:.0f} items": history_length <= low,
        f"history: {low:.0f} to {high:.0f} items": (history_length > low) & (history_length <= high),
        f"history: over {high:.0f} items": history_length > high,
    }


def by_value(name: str, values: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """One part a value that is known, bool [users] by name."""
    column = np.array(values, dtype=np.str_)
    return {f"{name}: {value}": column == value for value in np.unique(column) if value}


def large_enough(segments: Mapping[str, NDArray[np.bool_]]) -> dict[str, NDArray[np.bool_]]:
    return {name: rows for name, rows in segments.items() if rows.sum() >= SEGMENT_USERS_MIN}
