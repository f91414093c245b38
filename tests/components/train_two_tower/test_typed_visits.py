"""A two-tower of views only, most of them of nobody known, knows a visit of one click."""

from pathlib import Path

import numpy as np
import pytest

from endcap.contracts.signals import VIEW_CODE
from endcap.engine.retrieval.user_state import user_state
from endcap.training.scoring import TwoTowerArtifact, evaluation_context
from endcap.training.training_set import TrainingSet
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import SequenceHyperparameters
from endcap_components.train_two_tower.step import train_two_tower
from tests.components.train_two_tower.test_early_interactions import sequence, with_sequences
from tests.endcap.training.made_artifacts import training_dir

pytestmark = pytest.mark.training

TINY = TwoTowerHyperparameters(
    objective="next_item",
    next_item=SequenceHyperparameters(dim=8, members=1, layers=1, heads=2, decays=2, epochs=1, history_encoder="mean"),
)


def test_visits_of_one_click_have_queries_of_their_own(tmp_path: Path) -> None:
    made = TrainingSet(training_dir())
    eligible = np.flatnonzero(made.eligible_at(made.manifest.ranking_windows[0]))
    rng = np.random.default_rng(0)
    ages_s = [180, 120, 60]
    visits = [sequence(f"visit {number}", rng.choice(eligible, 3, replace=False).tolist(), ages_s, [VIEW_CODE] * 3) for number in range(40)]
    training = with_sequences(tmp_path / "typed", *visits)
    metrics = train_two_tower(training.path, tmp_path / "out", TINY, seed=1)
    assert metrics["steps_product_view"] > 100
    now = training.manifest.data_end
    clicks = [[training.items.ids.name(int(item))] for item in eligible[:2]]
    states = [user_state(None, training.items, training.user_vocabularies, now, click, ["product_view"]) for click in clicks]
    one, other = TwoTowerArtifact(tmp_path / "out").encode(states, evaluation_context(now))
    np.testing.assert_allclose([np.linalg.norm(one), np.linalg.norm(other)], 1.0, atol=1e-5)
    assert np.abs(one - other).max() > 1e-3
