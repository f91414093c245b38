import numpy as np
import pytest

from endcap.engine.retrieval.candidates import SOURCES
from endcap.training.candidates import candidate_sets, nearest_items
from endcap.training.moment_tables import TablesArtifact
from endcap.training.training_set import TrainingSet
from tests.endcap.training.made_artifacts import QUOTAS, tables_dir, training_dir

DIM = 8


def unit(rows: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(rows, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("quota", [1, 7, 500])
def test_nearest_items_are_the_exact_best_of_the_eligible(quota: int) -> None:
    items, queries = unit(60, 1), unit(3, 2)
    eligible = np.random.default_rng(3).random(60) < 0.5
    for query, found in zip(queries, nearest_items(queries, items, eligible, quota), strict=True):
        index = np.flatnonzero(eligible)
        expected = index[np.argsort(-(items[index] @ query))][:quota]
        np.testing.assert_array_equal(found.index, expected)
        np.testing.assert_allclose(found.score, items[expected] @ query, rtol=1e-5)


def test_candidates_keep_eligibility_quotas_and_provenance() -> None:
    training = TrainingSet(training_dir())
    cut = training.manifest.cut
    users = training.users_at(cut)
    eligible = training.eligible_at(cut)
    tables = TablesArtifact(tables_dir()).at(cut)
    items, queries = unit(len(training.items), 1), unit(len(users), 2)
    sets = candidate_sets(users.states, queries, items, tables, QUOTAS, eligible, training.user_vocabularies)
    assert len(sets) == len(users)
    for state, found in zip(users.states, sets, strict=True):
        assert len(found) <= QUOTAS.candidates_max
        assert len(np.unique(found.index)) == len(found)
        assert eligible[found.index].all()
        brought = found.brought[:, SOURCES.index("buy_again")]
        assert np.isin(found.index[brought], state.pair_index).all()
        assert brought.sum() <= QUOTAS.buy_again_quota
