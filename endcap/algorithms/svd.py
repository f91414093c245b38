"""SVD: the largest singular vectors of who bought what (Cremonesi, Koren and Turrin, PureSVD, RecSys 2010), by scikit-learn."""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.method import TrainingData
from endcap.algorithms.projection import Projection, factors_within
from endcap.algorithms.vector_scores import VectorScores, bought_items


class Svd(BaseModel):
    """Purchases projected on the directions in which people differ most; what the projection fills in is recommended."""

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
