from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from endcap.core.errors import DataRejected
from endcap.features.columns import CONTEXT, PURCHASE_OBJECTIVES
from endcap.training.candidates import candidate_sets
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import RankerArtifact, TwoTowerArtifact, evaluation_context, score_candidates
from endcap.training.training_set import TrainingSet
from tests.endcap.training.made_artifacts import QUOTAS, ranker_dir, tables_dir, training_dir, two_tower_dir


def test_embeddings_have_unit_length_and_padding_has_none() -> None:
    two_tower = TwoTowerArtifact(two_tower_dir())
    training = TrainingSet(training_dir())
    lengths = np.linalg.norm(two_tower.item_embeddings, axis=1)
    assert lengths[0] == 0
    np.testing.assert_allclose(lengths[1:], 1, atol=1e-4)
    queries = two_tower.encode(training.users_at(training.manifest.cut).states, evaluation_context(training.manifest.cut))
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), 1, atol=1e-4)


def test_served_embeddings_are_those_of_the_data_end() -> None:
    two_tower = TwoTowerArtifact(two_tower_dir())
    end = TrainingSet(training_dir()).manifest.data_end
    np.testing.assert_array_equal(two_tower.item_embeddings, two_tower.item_embeddings_at(end))


def test_every_candidate_gets_a_probability_that_does_not_depend_on_who_else_is_asked() -> None:
    training, two_tower, ranker = TrainingSet(training_dir()), TwoTowerArtifact(two_tower_dir()), RankerArtifact(ranker_dir())
    cut = training.manifest.cut
    states = training.users_at(cut).states[:6]
    context = evaluation_context(cut)
    queries = two_tower.encode(states, context)
    tables = TablesArtifact(tables_dir()).at(cut)
    found = candidate_sets(
        states, queries, two_tower.item_embeddings_at(cut), tables, QUOTAS, training.eligible_at(cut), training.user_vocabularies
    )
    items = training.items_at(cut)
    together = score_candidates(ranker.signature, states, queries, found, items, tables.neighbours, context)
    alone = score_candidates(ranker.signature, states[4:5], queries[4:5], found[4:5], items, tables.neighbours, context)
    for name in PURCHASE_OBJECTIVES:
        assert [len(scores[name]) for scores in together] == [len(candidates) for candidates in found]
        assert all(((scores[name] >= 0) & (scores[name] <= 1)).all() for scores in together)
        np.testing.assert_allclose(together[4][name], alone[0][name], rtol=1e-4, atol=1e-6)


def test_offline_lists_are_made_for_noon() -> None:
    context = evaluation_context(datetime(2025, 3, 3, tzinfo=UTC))
    assert context[CONTEXT.index("hour")] == 12
    assert context[CONTEXT.index("weekday")] == 0


def test_moment_without_embeddings_is_refused() -> None:
    with pytest.raises(DataRejected, match="train_two_tower"):
        TwoTowerArtifact(two_tower_dir()).item_embeddings_at(datetime(2001, 1, 1, tzinfo=UTC))


def test_missing_model_is_refused(tmp_path: Path) -> None:
    states = TrainingSet(training_dir()).users_at(TrainingSet(training_dir()).manifest.cut).states[:1]
    with pytest.raises(DataRejected, match="SavedModel"):
        TwoTowerArtifact(tmp_path).encode(states, evaluation_context(datetime(2025, 3, 3, tzinfo=UTC)))
