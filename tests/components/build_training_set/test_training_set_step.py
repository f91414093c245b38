import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from endcap.core.errors import DataRejected
from endcap.features.computing import build_feature_tables
from endcap.training.training_set import TrainingSet
from endcap_components.build_training_set import feature_rows, user_parts
from endcap_components.build_training_set.step import build_training_set
from tests.endcap.training.made_artifacts import dataset_dir, features_dir, training_dir


def test_items_have_families_where_the_shop_names_none() -> None:
    items = TrainingSet(training_dir()).item_rows
    assert items["family_id"].null_count() == 0
    assert items["family_id"].n_unique() == len(items)


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
    after = TrainingSet(tmp_path / "training")
    assert after.examples.manifest == before.examples.manifest
    for shard in before.examples.shards:
        assert after.examples.read(shard).table().equals(before.examples.read(shard).table())


def test_parts_of_the_users_make_the_same_training_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_parts, "USERS_A_SHARD", 15)
    monkeypatch.setattr(user_parts, "KEYS_AT_ONCE", 20)
    monkeypatch.setattr(feature_rows, "KEYS_AT_ONCE", 33)
    build_training_set(dataset_dir(), features_dir(), tmp_path / "training", min_buyers=3)
    whole, divided = TrainingSet(training_dir()), TrainingSet(tmp_path / "training")
    assert len(divided.sequences.shards) > 3
    assert divided.manifest == whole.manifest
    assert divided.purchases.equals(whole.purchases)
    for name in ("user_rows", "labels", "eligible"):
        assert pl.read_parquet(divided.path / f"{name}.parquet").equals(pl.read_parquet(whole.path / f"{name}.parquet")), name
    for snapshot in {shard.snapshot for shard in whole.examples.shards}:
        assert rows_of(divided, snapshot) == rows_of(whole, snapshot)
    np.testing.assert_array_equal(divided.examples.target_count, whole.examples.target_count)
    np.testing.assert_allclose(divided.examples.user_numeric.mean, whole.examples.user_numeric.mean, rtol=1e-5)


def rows_of(training: TrainingSet, snapshot: int) -> list[str]:
    """A snapshot's examples in an order of their own."""
    shards = training.examples
    return sorted(repr(row) for shard in shards.shards if shard.snapshot == snapshot for row in shards.read(shard).table().to_pylist())


def test_events_that_are_no_table_are_named(tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "items.parquet").write_bytes((dataset_dir() / "items.parquet").read_bytes())
    (tmp_path / "dataset" / "events.parquet").write_bytes(b"broken")
    with pytest.raises(DataRejected, match=r"events\.parquet"):
        build_training_set(tmp_path / "dataset", features_dir(), tmp_path / "training")


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
