"""NMF: purchases as sums of tastes, none of them negative (Lee and Seung, Nature 1999), by scikit-learn."""

import warnings

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.method import TrainingData
from endcap.algorithms.projection import Projection, factors_within
from endcap.algorithms.vector_scores import VectorScores, bought_items

STRENGTH_MIN = 1e-5
"""Of the strongest taste's: weaker ones are the rounding of float32."""


class Nmf(BaseModel):
    """Every person is a mix of tastes and every taste a list of items; both can be read, since nothing is subtracted."""

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
