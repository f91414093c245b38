"""Where values stand among ascending ones."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def places_in(known: NDArray[Any], wanted: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Where each of `wanted` stands in `known`, intp, and whether it does, bool, of the shape of `wanted`; other places mean nothing.

    Args:
        known: [s], ascending.
        wanted: any shape.
    """
    if not len(known):
        return np.zeros(wanted.shape, dtype=np.intp), np.zeros(wanted.shape, dtype=bool)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return place, known[place] == wanted
