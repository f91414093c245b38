"""How alike two items are, from the people who bought one, the other, or both."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.co_occurrence import Score


def cosine(shrinkage: float) -> Score:
    """both / (sqrt(one x other) + shrinkage), in [0, 1) (Sarwar et al., WWW 2001; Koren and Bell, Recommender Systems Handbook).

    Args:
        shrinkage: damps pairs that few people share.
    """
    return partial(_cosine, shrinkage=np.float32(shrinkage))


def log_lift(groups: int, shrinkage: float) -> Score:
    """log(lift) x both / (both + shrinkage), and nothing where chance would give as many (Brin et al., SIGMOD 1997).

    Args:
        groups: people who bought anything.
        shrinkage: people who have to share a pair for half of its lift to count.
    """
    return partial(_log_lift, groups=np.float32(groups), shrinkage=np.float32(shrinkage))


def _cosine(together: NDArray[np.float32], of_one: float, of_other: NDArray[np.float32], *, shrinkage: np.float32) -> NDArray[np.float32]:
    return np.asarray(together / (np.sqrt(of_one * of_other) + shrinkage), dtype=np.float32)


def _log_lift(
    together: NDArray[np.float32], of_one: float, of_other: NDArray[np.float32], *, groups: np.float32, shrinkage: np.float32
) -> NDArray[np.float32]:
    lift = together * groups / np.maximum(of_one * of_other, 1).astype(np.float32)
    return np.asarray(np.log(np.maximum(lift, 1)) * together / (together + shrinkage), dtype=np.float32)
