"""People who were not learned from get the vectors that they would have had."""

import numpy as np
import pytest

from endcap.algorithms.als import Als
from endcap.algorithms.bpr import Bpr, LearnedFoldIn
from endcap.algorithms.decomposition import Nmf, Svd
from tests.endcap.algorithms.made_data import interactions_of, random_histories, training_data


def test_als_gives_a_trained_user_nearly_the_trained_vector() -> None:
    from implicit.cpu.als import AlternatingLeastSquares

    data = training_data(random_histories(60, 20, 6, seed=1), 20)
    settings = Als(factors=4, iterations=60)
    again = AlternatingLeastSquares(
        factors=4, regularization=settings.regularisation, alpha=settings.confidence, iterations=60, num_threads=1, random_state=3
    )
    again.fit(data.interactions.bought, show_progress=False)
    folded = settings.fit(data, seed=3).encode(data.interactions)
    cosine = (folded * again.user_factors).sum(axis=1) / np.linalg.norm(folded, axis=1) / np.linalg.norm(again.user_factors, axis=1)
    assert cosine.min() > 0.99


@pytest.mark.parametrize("histories", [[[2], [2], [2]], [[1, 2]] * 4, [[2]]])
def test_tastes_are_no_more_than_people_who_buy_alike_have(histories: list[list[int]]) -> None:
    scores = Nmf(factors=3).fit(training_data(histories, 7), seed=1).scores(interactions_of([[2]], 7))
    assert scores[0, 2] > 0.4


def test_a_linear_map_is_found_again() -> None:
    rng = np.random.default_rng(2)
    vectors = rng.normal(size=(31, 3)).astype(np.float32)
    vectors[0] = 0
    interactions = interactions_of(random_histories(200, 30, 5, seed=2), 30)
    count = np.asarray(interactions.bought.sum(axis=1)).reshape(-1, 1)
    learned = (interactions.bought @ vectors / np.sqrt(count) @ np.diag([1.0, -2.0, 0.5]) + 1).astype(np.float32)
    folded = LearnedFoldIn.of(vectors, interactions, learned)(interactions)
    assert np.corrcoef(folded.ravel(), learned.ravel())[0, 1] > 0.99


def test_bpr_ranks_what_was_bought_first() -> None:
    data = training_data(random_histories(80, 20, 4, seed=4), 20)
    scores = Bpr(factors=8).fit(data, seed=1).scores(data.interactions)
    bought = data.interactions.bought.toarray() > 0
    assert np.mean(scores[bought]) > np.mean(scores[:, 1:][~bought[:, 1:]])


def test_svd_of_full_rank_gives_purchases_back() -> None:
    data = training_data([[1, 2], [2, 3], [4], [1, 4]], 5)
    scores = Svd(factors=4).fit(data, seed=1).scores(data.interactions)
    assert scores[:, 1:5] == pytest.approx(data.interactions.bought.toarray()[:, 1:5], abs=1e-4)
