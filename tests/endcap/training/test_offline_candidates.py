from dataclasses import replace

import numpy as np
import pytest

from endcap.core.settings import RetrievalSettings
from endcap.engine.retrieval.candidates import SOURCES, CandidateSet
from endcap.engine.retrieval.item_to_item import NO_NEIGHBOURS
from endcap.training.candidates import candidate_sets, nearest_items
from endcap.training.moment_tables import MomentTables, TablesArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.build_tables.ease_table import EaseTable
from endcap_components.build_tables.neighbours import learned_from
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


def test_ease_brings_candidates_where_it_has_a_table_and_changes_nothing_where_it_has_none_or_no_quota() -> None:
    training = TrainingSet(training_dir())
    cut = training.manifest.cut
    states, eligible = training.users_at(cut).states[:20], training.eligible_at(cut)
    data = learned_from(training, cut)
    without = replace(TablesArtifact(tables_dir()).at(cut), ease=NO_NEIGHBOURS)
    with_table = replace(without, ease=EaseTable().made_from(data.interactions))
    items, queries = unit(len(training.items), 1), unit(len(states), 2)
    none, few = (QUOTAS.model_copy(update={"ease_quota": quota}) for quota in (0, 7))

    def found(tables: MomentTables, quotas: RetrievalSettings) -> list[CandidateSet]:
        return candidate_sets(states, queries, items, tables, quotas, eligible, training.user_vocabularies)

    for missing, unused, used in zip(found(without, few), found(with_table, none), found(with_table, few), strict=True):
        np.testing.assert_array_equal(missing.index, unused.index)
        np.testing.assert_array_equal(missing.scores, unused.scores)
        assert not missing.score_of("ease").any()
        assert 0 < used.brought[:, SOURCES.index("ease")].sum() <= 7
