"""Graph: item embeddings smoothed over the graph of who bought what (He et al., LightGCN, SIGIR 2020).

Users have no embedding of their own: theirs is what one more step over the graph makes of their items, so that people who were not
learned from get one too (as in Mao et al., UltraGCN, CIKM 2021, users can be left to the items).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy import sparse

from endcap.algorithms.algorithm import TrainingData
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.vector_scores import VectorScores, bought_items

FIRST_DECAY, SECOND_DECAY, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Changes its array in place, a step at a time."""

    def __init__(self, values: NDArray[np.float32], learning_rate: float) -> None:
        """Take hold of the float32 array to be learned."""
        self._values = values
        self._learning_rate = learning_rate
        self._mean = np.zeros_like(values)
        self._square = np.zeros_like(values)
        self._steps = 0

    def step(self, gradient: NDArray[np.float32]) -> None:
        """Go down the gradient, shaped as the array."""
        self._steps += 1
        self._mean += np.float32(1 - FIRST_DECAY) * (gradient - self._mean)
        self._square += np.float32(1 - SECOND_DECAY) * (gradient**2 - self._square)
        rate = self._learning_rate * np.sqrt(1 - SECOND_DECAY**self._steps) / (1 - FIRST_DECAY**self._steps)
        self._values -= np.float32(rate) * self._mean / (np.sqrt(self._square) + np.float32(EPSILON))


class Graph(BaseModel):
    """Items that share buyers, or neighbours that do, come to lie together; trained to rank what was bought above what was not."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dimensions: int = Field(default=64, ge=1, description="Numbers in each vector.")
    layers: int = Field(default=1, ge=0, description="Steps from item to item over their buyers.")
    epochs: int = Field(default=30, ge=1, description="Passes over all pairs of a person and an item.")
    steps_an_epoch: int = Field(default=20, ge=1, description="Batches that a pass is cut into; each smooths the whole graph once.")
    learning_rate: float = Field(default=0.02, gt=0, description="Step of each batch.")
    regularisation: float = Field(default=1e-4, ge=0, description="Pull of the vectors in a batch towards zero.")

    def fit(self, data: TrainingData, seed: int) -> VectorScores:
        """Train with gradients written out: the model is linear; pairs and start values follow from `seed`."""
        graph = PurchaseGraph.of(data.interactions, self.layers)
        known = bought_items(data.interactions)
        rng = np.random.default_rng(seed)
        embeddings = rng.normal(0, 0.1, (len(known), self.dimensions)).astype(np.float32) * known[:, None]
        users, items = (place.astype(np.int64) for place in graph.to_users.nonzero())
        sellable = np.flatnonzero(known)
        optimiser = Adam(embeddings, self.learning_rate)
        for _ in range(self.epochs):
            for batch in np.array_split(rng.permutation(len(users)), min(self.steps_an_epoch, len(users))):
                others = sellable[rng.integers(0, len(sellable), len(batch))]
                pairs = RankedPairs(users[batch], items[batch], others)
                optimiser.step(graph.gradient(embeddings, pairs, self.regularisation))
        vectors = graph.smoothed(embeddings)
        return VectorScores(vectors, known, GraphStep(vectors, graph.item_scale))


@dataclass(frozen=True)
class RankedPairs:
    """int64 [b] each: a user, an item the user bought, and one to rank below it."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    others: NDArray[np.int64]


@dataclass(frozen=True)
class PurchaseGraph:
    """Users and items, an edge where one bought the other, weighing 1 over the root of both ends' edges.

    Attributes:
        to_users: float32 [u, n + 1].
        item_scale: float32 [n + 1], 1 over the root of an item's edges.
        layers: steps from item to item.
    """

    to_users: sparse.csr_matrix
    item_scale: NDArray[np.float32]
    layers: int

    @classmethod
    def of(cls, interactions: Interactions, layers: int) -> "PurchaseGraph":
        item_scale = 1 / np.sqrt(np.maximum(np.asarray(interactions.bought.sum(axis=0)).ravel(), 1)).astype(np.float32)
        return cls(step_to_users(interactions.bought, item_scale), item_scale, layers)

    def smoothed(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 [n + 1, d]: the mean of all layers; a symmetric map, so its gradient is the same map."""
        layer = total = embeddings
        for _ in range(self.layers):
            layer = np.asarray(self.to_users.T @ (self.to_users @ layer))
            total = total + layer
        return np.asarray(total / (self.layers + 1), dtype=np.float32)

    def gradient(self, embeddings: NDArray[np.float32], pairs: RankedPairs, regularisation: float) -> NDArray[np.float32]:
        """Of the mean ranking loss (Rendle et al., UAI 2009), each user seen without the item that is asked for.

        With it, an item would only learn to find itself.
        """
        vectors = self.smoothed(embeddings)
        edge = np.asarray(self.to_users[pairs.users, pairs.items]).ravel()[:, None]
        item, other = vectors[pairs.items], vectors[pairs.others]
        user = np.asarray(self.to_users[pairs.users] @ vectors) - edge * item
        margin = np.einsum("bd,bd->b", user, item - other)
        wrong = (1 / (1 + np.exp(np.clip(margin, -50, 50))) / len(margin)).astype(np.float32)[:, None]
        to_user = -wrong * (item - other)
        summed = self.to_users.T @ _added_up(to_user, pairs.users, self.to_users.shape[0])
        summed += _added_up(-wrong * user - edge * to_user, pairs.items, len(vectors))
        summed += _added_up(wrong * user, pairs.others, len(vectors))
        pulled = np.unique(np.concatenate([pairs.items, pairs.others]))
        gradient = self.smoothed(summed)
        gradient[pulled] += np.float32(regularisation) * embeddings[pulled] / len(pulled)
        return gradient


@dataclass(frozen=True)
class GraphStep:
    """One step over the graph: from the vectors of a history's items to their user; float32 [n + 1, d] and [n + 1]."""

    vectors: NDArray[np.float32]
    item_scale: NDArray[np.float32]

    def __call__(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, d]."""
        return np.asarray(step_to_users(histories.bought, self.item_scale) @ self.vectors, dtype=np.float32)


def step_to_users(bought: sparse.csr_matrix, item_scale: NDArray[np.float32]) -> sparse.csr_matrix:
    """float32 [users, n + 1], the weights of the edges to users."""
    user_scale = 1 / np.sqrt(np.maximum(np.diff(bought.indptr), 1)).astype(np.float32)
    return sparse.csr_matrix(sparse.diags(user_scale) @ bought @ sparse.diags(item_scale), dtype=np.float32)


def _added_up(values: NDArray[np.float32], rows: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """float32 [count, d]: the values (float32 [b, d]) summed by row (int64 [b])."""
    to_row = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, np.arange(len(rows)))), shape=(count, len(rows)))
    return np.asarray(to_row @ values, dtype=np.float32)
