"""SVD and NMF: who bought what as a product of few factors, by scikit-learn, which projects any history on them."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.vector_scores import VectorScores, bought_items

STRENGTH_MIN = 1e-5
"""Of the strongest taste's: weaker ones are the rounding of float32."""


@dataclass(frozen=True)
class Projection:
    """Vectors of users by a fitted decomposition with `transform`."""

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


class Svd(BaseModel):
    """Purchases projected on the directions in which people differ most; what the projection fills in is recommended.

    The largest singular vectors (Cremonesi, Koren and Turrin, PureSVD, RecSys 2010).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    factors: int = Field(default=128, ge=1, description="Numbers in each vector.")

    def fit(self, data: TrainingData, seed: int) -> VectorScores:
        """Decompose; the random projection it starts from follows from `seed`."""
        from sklearn.decomposition import TruncatedSVD

        bought = data.interactions.bought
        model = TruncatedSVD(factors_within(bought, self.factors), random_state=seed).fit(bought)
        vectors = np.ascontiguousarray(model.components_.T, dtype=np.float32)
        vectors[0] = 0
        return VectorScores(vectors, bought_items(data.interactions), Projection(model))


class Nmf(BaseModel):
    """Every person is a mix of tastes and every taste a list of items; both can be read, since nothing is subtracted.

    None is negative (Lee and Seung, Nature 1999).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    factors: int = Field(default=64, ge=1, description="Tastes.")
    iterations: int = Field(default=100, ge=1, description="Rounds at most.")

    def fit(self, data: TrainingData, seed: int) -> VectorScores:
        """Decompose; start values follow from `seed`."""
        from sklearn.decomposition import NMF
        from sklearn.utils.extmath import randomized_svd

        bought = data.interactions.bought
        strength = randomized_svd(bought, factors_within(bought, self.factors), random_state=seed)[1]
        # The start divides by the strength of every taste, and people who buy alike have fewer tastes than are asked for.
        factors = max(1, int((strength > STRENGTH_MIN * strength[0]).sum()))
        model = NMF(factors, init="nndsvda", random_state=seed, max_iter=self.iterations, tol=1e-3)
        with warnings.catch_warnings():
            # The rounds are a budget: it is no fault to use it up.
            warnings.simplefilter("ignore")
            model.fit(bought)
        vectors = np.ascontiguousarray(model.components_.T, dtype=np.float32)
        vectors[0] = 0
        return VectorScores(vectors, bought_items(data.interactions), Projection(model))
