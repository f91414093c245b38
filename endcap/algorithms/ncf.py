"""NCF: neural collaborative filtering, a product of embeddings beside layers over both (He et al., NeuMF, WWW 2017), in Keras.

The user is the mean of the history instead of an embedding of an id, so that people who were not learned from get scores too.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.algorithm import NOT_RECOMMENDED, TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.ncf_arrays import NcfExamples, NcfWeights
from endcap.algorithms.vector_scores import bought_items

CELLS_A_BLOCK = 2_000_000
"""Pairs of a user and an item that are scored at once."""


class Ncf(BaseModel):
    """A ranker that learns how tastes and items go together beyond a product; scores every item, so it is the slowest to ask."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimensions: int = Field(default=64, ge=1, description="Numbers in each embedding; the hidden layers have half and a quarter of them.")
    negatives: int = Field(default=4, ge=1, description="Items not bought, for each that was.")
    epochs: int = Field(default=10, ge=1, description="Passes over all pairs of a person and an item.")
    batch: int = Field(default=4096, ge=1, description="Examples of a step.")
    learning_rate: float = Field(default=0.002, gt=0, description="Step of the optimiser.")
    history_max: int = Field(default=50, ge=1, description="Newest items of a history that count.")
    examples_max: int = Field(default=5_000_000, ge=1, description="Bought items of a pass at most, drawn anew for each.")
    threads: int = Field(default=1, ge=0, description="0 for all cores.")

    def fit(self, data: TrainingData, seed: int) -> "FittedNcf":
        """Train; examples and start values follow from `seed`."""
        from endcap.algorithms.ncf_training import train_ncf

        examples = NcfExamples.of(data.interactions, self.history_max)
        rng = np.random.default_rng(seed)
        batches = (
            batch
            for _ in range(self.epochs)
            for batch in examples.batches(rng, size=self.batch, negatives=self.negatives, bought_max=self.examples_max)
        )
        weights = train_ncf(
            batches,
            history_length=self.history_max,
            item_count=data.interactions.item_count,
            dimensions=self.dimensions,
            learning_rate=self.learning_rate,
            seed=seed,
        )
        return FittedNcf(weights, self, bought_items(data.interactions))


@dataclass(frozen=True)
class FittedNcf:
    """Trained weights, the settings they are of, and bool [n + 1] which items were learned."""

    weights: NcfWeights
    settings: Ncf
    known: NDArray[np.bool_]

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1], logits; items that nobody bought are not recommended, nor anything without a history."""
        w, d = self.weights, self.settings.dimensions
        known = np.flatnonzero(self.known)
        user = pooled(w.history, NcfExamples.of(histories, self.settings.history_max).history)
        of_product = (user[:, :d] * w.output[:d]) @ w.item[known, :d].T + w.item_bias[known]
        user_layer, item_layer = user[:, d:] @ w.first[0][:d], w.item[known, d:] @ w.first[0][d:] + w.first[1]
        rows_at_once = max(1, CELLS_A_BLOCK // max(len(known), 1))
        for start in range(0, histories.users, rows_at_once):
            hidden = np.maximum(user_layer[start : start + rows_at_once, None, :] + item_layer, 0)
            of_product[start : start + rows_at_once] += np.maximum(hidden @ w.second[0] + w.second[1], 0) @ w.output[d:]
        scores = np.full((histories.users, histories.item_count + 1), NOT_RECOMMENDED, dtype=np.float32)
        scores[:, known] = of_product
        scores[np.diff(histories.start) == 0] = NOT_RECOMMENDED
        return scores

    def item_vectors(self) -> NDArray[np.float32]:
        """float32 [n + 1, 2 d], the embeddings of items as they are scored."""
        return np.where(self.known[:, None], self.weights.item, np.float32(0))


def pooled(embeddings: NDArray[np.float32], history: NDArray[np.int32]) -> NDArray[np.float32]:
    """float32 [users, e]: means of the embeddings of int32 [users, l] items, 0 for none."""
    count = np.maximum((history > 0).sum(axis=1, keepdims=True), 1)
    total = np.zeros((len(history), embeddings.shape[1]), dtype=np.float32)
    for place in range(history.shape[1]):
        total += embeddings[history[:, place]] * (history[:, place] > 0)[:, None]
    return np.asarray(total / count, dtype=np.float32)
