import numpy as np
import pytest

from components.train_two_tower.batches import BatchSource
from components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap.errors import InvalidInput
from endcap.features.columns import ITEM_NUMERIC
from endcap.training.training_set import TrainingSet
from tests.endcap.training.made_artifacts import training_dir


def source(sampled: bool, **parameters: object) -> BatchSource:
    training = TrainingSet(training_dir())
    trained = np.flatnonzero(training.eligible_at(training.manifest.ranking_windows[0]))
    place = np.full(len(training.items), -1, dtype=np.int32)
    place[trained] = np.arange(len(trained))
    numeric = np.zeros((len(training.manifest.snapshots), len(trained), len(ITEM_NUMERIC)), dtype=np.float32)
    chosen = TwoTowerHyperparameters(batch_size=32, negatives=50, **parameters)
    return BatchSource(training.examples, numeric, place, chosen, sampled)


def test_epoch_sees_every_example_once_and_one_moment_at_a_time() -> None:
    batches = source(sampled=False)
    rows = batches.rows(np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate(rows)), np.arange(len(batches.examples)))
    assert all(len(np.unique(batches.examples.snapshot[batch])) == 1 for batch in rows)


def test_newest_examples_are_kept_when_there_are_too_many() -> None:
    batches = source(sampled=False, examples_max=100)
    rows = np.concatenate(batches.rows(np.random.default_rng(0)))
    assert np.sort(rows).tolist() == list(range(len(batches.examples) - 100, len(batches.examples)))


def test_repeat_weight_of_zero_asks_only_for_new_items_and_leaves_known_ones_out() -> None:
    batches = source(sampled=False, repeat_weight=0.0, session_share=0.0)
    for batch in batches.epoch(np.random.default_rng(0)):
        targets = set(zip(batch["row"].tolist(), batch["target"].tolist(), strict=True))
        known = set(zip(batch["left_out_row"].tolist(), batch["left_out"].tolist(), strict=True))
        assert known
        assert not targets & known


def test_targets_among_the_samples_are_left_out() -> None:
    for batch in source(sampled=True).epoch(np.random.default_rng(0)):
        left_out = set(zip(batch["left_out_row"].tolist(), batch["left_out"].tolist(), strict=True))
        for row, target in zip(batch["row"][:50].tolist(), batch["target"][:50].tolist(), strict=True):
            hits = np.flatnonzero(batch["sampled"] == target)
            assert all((row, int(hit)) in left_out for hit in hits)
        assert batch["sampled_log_q"].shape == batch["sampled"].shape


def test_unknown_hyperparameter_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"hyperparameters\.depth"):
        TwoTowerHyperparameters.of({"depth": 3})
