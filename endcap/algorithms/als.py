"""ALS: matrix factorisation of implicit feedback by alternating least squares (Hu, Koren and Volinsky, ICDM 2008), by `implicit`."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.vector_scores import VectorScores, bought_items


class Als(BaseModel):
    """Vectors of users and items whose products rebuild who bought what; a purchase weighs more than a gap."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    factors: int = Field(default=128, ge=1, description="Numbers in each vector.")
    regularisation: float = Field(default=1.0, ge=0, description="Pull of every vector towards zero.")
    confidence: float = Field(default=10.0, gt=0, description="How much a purchase weighs, where a gap weighs 1 (the paper's alpha).")
    iterations: int = Field(default=15, ge=1, description="Rounds over users and items.")
    threads: int = Field(default=1, ge=0, description="0 for all cores; changes no result.")

    def fit(self, data: TrainingData, seed: int) -> VectorScores:
        """Alternate; start values follow from `seed`."""
        from implicit.cpu.als import AlternatingLeastSquares
        from threadpoolctl import threadpool_limits

        # Threads of the library and of BLAS at once are slower than either.
        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=self.factors,
                regularization=self.regularisation,
                alpha=self.confidence,
                iterations=self.iterations,
                num_threads=self.threads,
                random_state=seed,
            )
            model.fit(data.interactions.bought, show_progress=False)
        vectors = np.asarray(model.item_factors, dtype=np.float32).copy()
        vectors[0] = 0
        return VectorScores(vectors, bought_items(data.interactions), AlsFoldIn(model))


@dataclass(frozen=True)
class AlsFoldIn:
    """Solves for users with the items held fast: half a round of the training."""

    model: Any

    def __call__(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, factors]."""
        return np.asarray(self.model.recalculate_user(np.arange(histories.users), histories.bought), dtype=np.float32)
