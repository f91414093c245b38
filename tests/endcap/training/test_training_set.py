from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from endcap.errors import DataRejected
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
    examples = training.examples
    rows = np.arange(0, len(examples), 37)
    target_row, target_place = examples.targets_of(rows)
    bought_row, bought_place = examples.bought_by(rows)
    known = set(zip(bought_row.tolist(), examples.bought_index[bought_place].tolist(), strict=True))
    targets = zip(target_row.tolist(), examples.target_index[target_place].tolist(), strict=True)
    is_new = [pair not in known for pair in targets]
    np.testing.assert_array_equal(is_new, examples.target_is_new[target_place])


def test_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRejected, match="build_training_set"):
        _ = TrainingSet(tmp_path).manifest
