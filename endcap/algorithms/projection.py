"""Vectors of users by a fitted decomposition of scikit-learn, which projects any history."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from endcap.algorithms.interactions import Interactions


@dataclass(frozen=True)
class Projection:
    """A decomposition with `transform`."""

    model: Any

    def __call__(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, factors]."""
        if not histories.users:
            return np.zeros((0, self.model.n_components), dtype=np.float32)
        with warnings.catch_warnings():
            # The rounds are a budget: it is no fault to use it up.
            warnings.simplefilter("ignore")
            return np.asarray(self.model.transform(histories.bought), dtype=np.float32)


def factors_within(bought: sparse.csr_matrix, factors: int) -> int:
    """No more than there are users or items, of which small data has few."""
    users, columns = bought.shape
    return int(max(1, min(factors, users, columns - 1)))
