from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from endcap.core.errors import DataRejected
from endcap.features.columns import ITEM_NUMERIC
from endcap.training.training_set import TrainingSet
from tests.endcap.training.made_artifacts import training_dir


@pytest.fixture(scope="module")
def training() -> TrainingSet:
    return TrainingSet(training_dir())


def test_labels_end_before_what_comes_after_them(training: TrainingSet) -> None:
    manifest = training.manifest
    horizon = timedelta(days=manifest.horizon_days)
    assert all(moment + horizon <= manifest.cut for moment in manifest.ranking_windows)
    assert manifest.snapshots[-1] + timedelta(days=manifest.target_days) <= manifest.ranking_windows[0]


def test_states_know_only_what_was_before_their_moment(training: TrainingSet) -> None:
    users = training.users_at(training.manifest.cut)
    assert len(users) > 50
    assert all((state.days_since_bought > 0).all() for state in users.states)
    assert all((state.history_age_days > 0).all() for state in users.states)


def test_catalogue_carries_the_numbers_of_the_moment(training: TrainingSet) -> None:
    early, late = (training.items_at(moment).numeric for moment in (training.manifest.snapshots[0], training.manifest.cut))
    age = ITEM_NUMERIC.index("item_age_days")
    sold = (early[:, age] > 0) & (late[:, age] > 0)
    assert sold.any()
    assert (late[sold, age] > early[sold, age]).all()


def test_item_bought_by_nobody_is_not_eligible(training: TrainingSet) -> None:
    eligible = training.eligible_at(training.manifest.cut)
    assert not eligible[training.items.ids.code("never")]
    assert not eligible[0]
    assert eligible[training.items.ids.code("t0-i00")]


def test_labels_count_baskets_of_the_horizon(training: TrainingSet) -> None:
    manifest = training.manifest
    labels = training.labels_at(manifest.cut)
    row = labels.row(0, named=True)
    bought = training.purchases.filter(
        training.purchases["user_id"] == row["user_id"],
        training.purchases["item_index"] == row["item_index"],
        training.purchases["occurred_at"] >= manifest.cut,
        training.purchases["occurred_at"] < manifest.cut + timedelta(days=manifest.horizon_days),
    )
    assert row["baskets"] == bought["session_id"].n_unique()


def test_examples_keep_targets_apart_from_the_past(training: TrainingSet) -> None:
    for shard in training.examples.shards:
        examples = training.examples.read(shard)
        known = set(zip(examples.bought_row.tolist(), examples.bought_index.tolist(), strict=True))
        targets = zip(examples.target_row.tolist(), examples.target_index.tolist(), strict=True)
        np.testing.assert_array_equal([pair not in known for pair in targets], examples.target_is_new)


def test_sequences_are_the_purchases_in_order(training: TrainingSet) -> None:
    for sequences in training.sequences.stream():
        for row, user in enumerate(sequences.user_id):
            own = slice(sequences.start[row], sequences.start[row + 1])
            bought = training.purchases.filter(pl.col("user_id") == user)
            assert sequences.item_index[own].tolist() == bought["item_index"].to_list()
            assert sequences.occurred_at[own].tolist() == bought["occurred_at"].dt.epoch("s").to_list()
    assert training.sequences.users == training.manifest.users


def test_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="build_training_set"):
        _ = TrainingSet(tmp_path).manifest
