"""The step build_training_set: from a dataset and its features to one folder that training and evaluation read."""

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from components.build_training_set import purchases as bought
from components.build_training_set.examples import retrieval_examples, targets_of
from components.build_training_set.feature_rows import full_user_rows, item_rows, user_rows
from components.build_training_set.moments import Moments, choose_moments
from endcap.catalogue.vocabulary import Vocabulary
from endcap.features.columns import HORIZON_DAYS, USER_CATEGORICAL
from endcap.features.manifest import FeatureManifest, read_manifest
from endcap.log import get_logger
from endcap.training.retrieval_examples import RetrievalExamples
from endcap.training.training_set import MANIFEST_NAME, TrainingManifest

TARGET_DAYS = 7


def build_training_set(
    dataset_dir: Path, features_dir: Path, out_dir: Path, min_buyers: int = 5, target_days: int = TARGET_DAYS
) -> TrainingManifest:
    """Write a training set.

    Args:
        dataset_dir: a canonical dataset.
        features_dir: the feature tables made from it.
        out_dir: the folder to write; replaced when it exists, once all of the new one is there.
        min_buyers: items that fewer users bought are neither candidates nor truth.
        target_days: how far the two-tower's targets reach from a snapshot.

    Raises:
        DataRejected: the data is too short, or the features are not there.
    """
    features = read_manifest(features_dir)
    moments = choose_moments(features.snapshot_times, features.pair_times, features.cut, features.data_end, target_days, HORIZON_DAYS)
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}-", dir=out_dir.parent))
    try:
        manifest = _write(dataset_dir, features_dir, aside, features, moments, min_buyers, target_days)
        if out_dir.exists():
            shutil.rmtree(out_dir)
        os.replace(aside, out_dir)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    get_logger("build_training_set").info("training set built", users=manifest.users, examples=manifest.examples, targets=manifest.targets)
    return manifest


def _write(
    dataset_dir: Path,
    features_dir: Path,
    folder: Path,
    features: FeatureManifest,
    moments: Moments,
    min_buyers: int,
    target_days: int,
) -> TrainingManifest:
    items = pl.read_parquet(dataset_dir / "items.parquet").sort("item_id")
    items.write_parquet(folder / "items.parquet")
    item_index = items.select("item_id", pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("item_index"))
    purchases = bought.read_purchases(dataset_dir, item_index)
    _write_moments(folder, features_dir, purchases, moments, min_buyers)
    vocabularies = _write_vocabularies(folder, features_dir, moments.cut)
    targets = targets_of(purchases, moments.snapshots, target_days)
    examples: RetrievalExamples = retrieval_examples(
        targets, moments.snapshots, lambda keys: user_rows(features_dir, keys), item_index, vocabularies
    )
    examples.write(folder / "examples")
    manifest = TrainingManifest(
        data_start=features.first_event_at,
        data_end=features.data_end,
        cut=moments.cut,
        ranking_windows=list(moments.windows),
        snapshots=list(moments.snapshots),
        horizon_days=HORIZON_DAYS,
        target_days=target_days,
        min_buyers=min_buyers,
        dataset_fingerprint=features.dataset_fingerprint,
        users=purchases["user_id"].n_unique(),
        items=len(items),
        examples=len(examples),
        targets=len(examples.target_index),
    )
    (folder / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    return manifest


def _write_moments(folder: Path, features_dir: Path, purchases: pl.DataFrame, moments: Moments, min_buyers: int) -> None:
    item_rows(features_dir, [*moments.snapshots, *moments.full]).write_parquet(folder / "item_features.parquet")
    full_user_rows(features_dir, moments.full).write_parquet(folder / "user_rows.parquet")
    labelled: Sequence[datetime] = [*moments.windows, moments.cut]
    pl.concat([bought.labels(purchases, moment, HORIZON_DAYS) for moment in labelled]).write_parquet(folder / "labels.parquet")
    pl.concat([bought.eligible_items(purchases, moment, min_buyers) for moment in moments.full]).write_parquet(folder / "eligible.parquet")
    purchases.write_parquet(folder / "purchases.parquet")


def _write_vocabularies(folder: Path, features_dir: Path, cut: datetime) -> dict[str, Vocabulary]:
    known = (
        pl.scan_parquet(features_dir / "user_features.parquet")
        .filter(pl.col("event_timestamp") <= cut)
        .select(pl.col(name).unique().implode() for name in USER_CATEGORICAL)
        .collect()
    )
    vocabularies = {name: Vocabulary.of(known[name][0].to_list()) for name in USER_CATEGORICAL}
    names = {name: list(vocabulary.names) for name, vocabulary in vocabularies.items()}
    (folder / "vocabularies.json").write_text(json.dumps({"user": names}, indent=1, ensure_ascii=False), encoding="utf-8")
    return vocabularies
