import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from components.build_training_set.step import build_training_set
from endcap.errors import DataRejected
from endcap.features.build import build_feature_tables
from endcap.training.training_set import TrainingSet
from tests.endcap.training.made_artifacts import dataset_dir, features_dir, training_dir


def test_future_changes_no_example_before_it(tmp_path: Path) -> None:
    before = TrainingSet(training_dir())
    last = before.manifest.snapshots[-1] + timedelta(days=before.manifest.target_days)
    changed = tmp_path / "dataset"
    changed.mkdir()
    for name in ("items", "users"):
        pl.read_parquet(dataset_dir() / f"{name}.parquet").write_parquet(changed / f"{name}.parquet")
    events = pl.read_parquet(dataset_dir() / "events.parquet")
    swapped = pl.when(pl.col("occurred_at") >= last).then(pl.lit("t3-i07")).otherwise(pl.col("item_id")).alias("item_id")
    events.with_columns(swapped).write_parquet(changed / "events.parquet")
    build_feature_tables(changed, tmp_path / "features")
    build_training_set(changed, tmp_path / "features", tmp_path / "training", min_buyers=3)
    after = TrainingSet(tmp_path / "training").examples
    for name in ("history", "history_age_days", "user_numeric", "context", "target_index", "target_is_new", "bought_start", "bought_end"):
        if name.startswith("bought"):
            continue
        np.testing.assert_array_equal(getattr(before.examples, name), getattr(after, name), err_msg=name)


def test_features_that_are_missing_leave_no_folder(tmp_path: Path) -> None:
    with pytest.raises(DataRejected):
        build_training_set(dataset_dir(), tmp_path / "nowhere", tmp_path / "training")
    assert not (tmp_path / "training").exists()


def test_failed_build_leaves_the_old_folder(tmp_path: Path) -> None:
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "kept").write_text("")
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "items.parquet").write_bytes(b"broken")
    with pytest.raises(pl.exceptions.ComputeError):
        build_training_set(tmp_path / "dataset", features_dir(), tmp_path / "training")
    assert [path.name for path in tmp_path.glob("*training*")] == ["training"]
    assert (tmp_path / "training" / "kept").exists()


def test_vocabularies_name_the_user_categories() -> None:
    names = json.loads((training_dir() / "vocabularies.json").read_text())["user"]
    assert names["age_band"] == ["25-34"]
