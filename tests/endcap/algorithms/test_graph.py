"""The graph's gradient is that of its loss."""

import numpy as np
import pytest

from endcap.algorithms.graph import PurchaseGraph, RankedPairs
from tests.endcap.algorithms.made_data import interactions_of, random_histories


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_the_gradient_is_the_slope_of_the_loss(layers: int) -> None:
    graph = PurchaseGraph.of(interactions_of(random_histories(6, 8, 4, seed=1), 8), layers)
    users, items = (place.astype(np.int64) for place in graph.to_users.nonzero())
    rng = np.random.default_rng(2)
    pairs = RankedPairs(users, items, rng.integers(1, 9, len(users)))
    embeddings = rng.normal(size=(9, 3)).astype(np.float32)

    def loss(at: np.ndarray) -> float:
        vectors = graph.smoothed(at)
        edge = np.asarray(graph.to_users[users, items]).ravel()[:, None]
        user = graph.to_users[users] @ vectors - edge * vectors[items]
        return float(np.log1p(np.exp(-(user * (vectors[items] - vectors[pairs.others])).sum(axis=1))).mean())

    gradient = graph.gradient(embeddings, pairs, regularisation=0.0)
    for item, column in ((1, 0), (5, 2), (8, 1)):
        step = np.zeros_like(embeddings)
        step[item, column] = 1e-2
        assert gradient[item, column] == pytest.approx((loss(embeddings + step) - loss(embeddings - step)) / 2e-2, abs=1e-3)
