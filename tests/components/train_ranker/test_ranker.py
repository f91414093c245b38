import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from endcap.contracts.signatures import RANK, RANK_INPUTS
from endcap.core.errors import InvalidInput
from endcap.features.columns import PURCHASE_OBJECTIVES
from endcap.training.candidates import candidate_sets
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import RankerArtifact, TwoTowerArtifact, evaluation_context, score_candidates
from endcap.training.training_set import TrainingSet
from endcap_components.train_ranker.hyperparameters import RankerHyperparameters
from endcap_components.train_ranker.step import train_ranker
from tests.endcap.training.made_artifacts import QUOTAS, RANKER, SEED, ranker_dir, tables_dir, training_dir, two_tower_dir

pytestmark = pytest.mark.training


def precision_at_four() -> tuple[float, float]:
    """Share of the first four items bought after the cut: of the ranker, and of popular items."""
    training, two_tower = TrainingSet(training_dir()), TwoTowerArtifact(two_tower_dir())
    cut = training.manifest.cut
    users, context, tables = training.users_at(cut), evaluation_context(cut), TablesArtifact(tables_dir()).at(cut)
    queries = two_tower.encode(users.states, context)
    eligible = training.eligible_at(cut)
    embeddings = two_tower.item_embeddings_at(cut)
    found = candidate_sets(users.states, queries, embeddings, tables, QUOTAS, eligible, training.user_vocabularies)
    scores = score_candidates(
        RankerArtifact(ranker_dir()).signature, users.states, queries, found, training.items_at(cut), tables.neighbours, context
    )
    labels = training.labels_at(cut)
    popular = tables.popularity.by_segment["all"].index[:4]
    hits = []
    for user_id, candidates, score in zip(users.user_ids, found, scores, strict=True):
        truth = labels.filter(pl.col("user_id") == user_id)["item_index"].to_numpy()
        first = candidates.index[np.argsort(-score["buy"], kind="stable")[:4]]
        hits.append([np.isin(first, truth).mean(), np.isin(popular, truth).mean()])
    ranked, most_bought = np.mean(hits, axis=0)
    return float(ranked), float(most_bought)


def test_ranker_puts_what_is_bought_first() -> None:
    ranked, popular = precision_at_four()
    assert ranked > 0.6
    assert ranked > 2 * popular


def test_two_runs_give_the_same_metrics(tmp_path: Path) -> None:
    again = train_ranker(training_dir(), tables_dir(), two_tower_dir(), tmp_path / "ranker", parameters=RANKER, quotas=QUOTAS, seed=SEED)
    first = json.loads((ranker_dir() / "ranker.json").read_text())["metrics"]
    assert again == pytest.approx(first, rel=1e-3, abs=1e-6)


def test_signature_takes_what_the_contract_says() -> None:
    import tensorflow as tf

    signature = tf.saved_model.load(str(ranker_dir() / "saved_model")).signatures[RANK]
    assert set(signature.structured_input_signature[1]) == set(RANK_INPUTS)
    assert set(signature.structured_outputs) == set(PURCHASE_OBJECTIVES)


def test_probabilities_are_calibrated_on_users_held_out() -> None:
    metrics = json.loads((ranker_dir() / "ranker.json").read_text())["metrics"]
    assert all(metrics[f"ece_{name}"] < 0.1 for name in PURCHASE_OBJECTIVES)


def test_unknown_hyperparameter_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"hyperparameters\.depth"):
        RankerHyperparameters.of({"depth": 3})
