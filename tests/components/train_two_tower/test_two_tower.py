import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from endcap.training.candidates import nearest_items
from endcap.training.moment_tables import TablesArtifact
from endcap.training.scoring import TwoTowerArtifact, evaluation_context
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import SequenceHyperparameters
from endcap_components.train_two_tower.step import train_two_tower
from tests.endcap.training.made_artifacts import SEED, TWO_TOWER, tables_dir, training_dir, two_tower_dir

pytestmark = pytest.mark.training

TOP = 20


@pytest.fixture(scope="module")
def sampled_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sampled") / "two_tower"
    parameters = TWO_TOWER.model_copy(update={"full_softmax_items_max": 10, "negatives": 40})
    assert train_two_tower(training_dir(), out, parameters, SEED)["sampled_softmax"] == 1
    return out


def recall_of_new(two_tower: TwoTowerArtifact) -> tuple[float, float]:
    """Recall at TOP of items new to the user: of the two-tower, and of what was popular in the last 28 days."""
    training = TrainingSet(training_dir())
    cut = training.manifest.cut
    users, eligible = training.users_at(cut), training.eligible_at(cut)
    popular = TablesArtifact(tables_dir()).at(cut).popularity.by_segment["all"].index
    queries = two_tower.encode(users.states, evaluation_context(cut))
    nearest = nearest_items(queries, two_tower.item_embeddings_at(cut), eligible, len(training.items))
    labels = training.labels_at(cut)
    found = []
    for user_id, state, candidates in zip(users.user_ids, users.states, nearest, strict=True):
        truth = labels.filter(pl.col("user_id") == user_id)["item_index"].to_numpy()
        truth = truth[eligible[truth] & ~np.isin(truth, state.pair_index)]
        if len(truth):
            ranked = (index[~np.isin(index, state.pair_index)][:TOP] for index in (candidates.index, popular))
            found.append([np.isin(truth, index).mean() for index in ranked])
    own, other = np.mean(found, axis=0)
    return float(own), float(other)


def test_full_softmax_finds_new_items_that_popularity_does_not() -> None:
    own, popular = recall_of_new(TwoTowerArtifact(two_tower_dir()))
    assert own > 1.5 * popular


def test_sampled_softmax_finds_new_items_that_popularity_does_not(sampled_dir: Path) -> None:
    own, popular = recall_of_new(TwoTowerArtifact(sampled_dir))
    assert own > 1.5 * popular


def test_item_that_nobody_bought_lies_near_its_kind() -> None:
    training, two_tower = TrainingSet(training_dir()), TwoTowerArtifact(two_tower_dir())
    # Without the last dimension, which holds what is missing to unit length.
    direction = two_tower.item_embeddings[:, :-1]
    direction = direction / np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
    closeness = direction @ direction[training.items.ids.code("never")]
    by_taste = {
        taste: np.mean([closeness[training.items.ids.code(f"t{taste}-i{number:02}")] for number in range(25)]) for taste in range(4)
    }
    assert max(by_taste, key=lambda taste: by_taste[taste]) == 0


def test_two_runs_give_the_same_metrics(tmp_path: Path) -> None:
    again = train_two_tower(training_dir(), tmp_path / "two_tower", TWO_TOWER, SEED)
    first = json.loads((two_tower_dir() / "two_tower.json").read_text())["metrics"]
    assert again == pytest.approx(first, rel=1e-3)
    np.testing.assert_allclose(
        recall_of_new(TwoTowerArtifact(tmp_path / "two_tower"))[0], recall_of_new(TwoTowerArtifact(two_tower_dir()))[0], atol=5e-4
    )


def test_next_item_objective_writes_the_same_artifact(tmp_path: Path) -> None:
    small = SequenceHyperparameters(dim=16, layers=1, heads=2, decays=2, epochs=1, members=1)
    out = tmp_path / "two_tower"
    metrics = train_two_tower(training_dir(), out, TWO_TOWER.model_copy(update={"objective": "next_item", "next_item": small}), SEED)
    training, two_tower = TrainingSet(training_dir()), TwoTowerArtifact(out)
    cut = training.manifest.cut
    queries = two_tower.encode(training.users_at(cut).states, evaluation_context(cut))
    items = two_tower.item_embeddings_at(cut)
    assert queries.shape[1] == items.shape[1] == 16
    np.testing.assert_allclose(np.linalg.norm(queries, axis=1), 1.0, atol=1e-5)
    assert metrics["members"] == 1
    assert json.loads((out / "two_tower.json").read_text())["objective"] == "next_item"


def test_data_of_buying_again_keeps_the_window_objective() -> None:
    assert json.loads((two_tower_dir() / "two_tower.json").read_text())["objective"] == "window"
