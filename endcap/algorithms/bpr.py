"""BPR: matrix factorisation that learns to rank what was bought above what was not (Rendle et al., UAI 2009), by `implicit`."""

from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.learned_fold_in import LearnedFoldIn
from endcap.algorithms.method import TrainingData
from endcap.algorithms.vector_scores import VectorScores, bought_items


class Bpr(BaseModel):
    """Vectors of users and items, learned from pairs of an item that a person bought and one that the person did not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    factors: int = Field(default=64, ge=1, description="Numbers in each vector.")
    learning_rate: float = Field(default=0.05, gt=0, description="Step of each pair.")
    regularisation: float = Field(default=0.01, ge=0, description="Pull of every vector towards zero.")
    iterations: int = Field(default=100, ge=1, description="Rounds over all purchases.")

    def fit(self, data: TrainingData, seed: int) -> VectorScores:
        """Descend; pairs and start values follow from `seed`, so one thread does it."""
        import numpy as np
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        model = BayesianPersonalizedRanking(
            factors=self.factors,
            learning_rate=self.learning_rate,
            regularization=self.regularisation,
            iterations=self.iterations,
            num_threads=1,
            random_state=seed,
        )
        model.fit(data.interactions.bought, show_progress=False)
        vectors = np.asarray(model.item_factors, dtype=np.float32).copy()
        vectors[0] = 0
        users = np.asarray(model.user_factors, dtype=np.float32)
        return VectorScores(vectors, bought_items(data.interactions), LearnedFoldIn.of(vectors, data.interactions, users))
