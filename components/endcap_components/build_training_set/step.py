"""The step build_training_set: from a dataset and its features to one folder that training and evaluation read."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from endcap.catalogue.item_families import family_ids
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.signals import Signals
from endcap.contracts.training_plan import RANKER, TWO_TOWER, TrainingPlan
from endcap.core.files import replacing_folder
from endcap.core.log import get_logger
from endcap.features.columns import USER_CATEGORICAL
from endcap.features.manifest import FeatureManifest, read_manifest
from endcap.training.moments import Moments, demand_training, fitting_moments
from endcap.training.sequence_shards import SequenceShards
from endcap.training.shown_lists import SHOWN_NAME, ShownLists
from endcap.training.training_set import INTERACTIONS_NAME, MANIFEST_NAME, TrainingManifest
from endcap_components.build_training_set import purchases as bought
from endcap_components.build_training_set.feature_rows import FolderRows, UserRows, item_rows, known_users, write_full_user_rows
from endcap_components.build_training_set.interactions import write_interactions
from endcap_components.build_training_set.shown_lists import write_shown_lists
from endcap_components.build_training_set.user_parts import UserParts

TARGET_DAYS = 14


def build_training_set(
    dataset_dir: Path,
    features_dir: Path,
    out_dir: Path,
    *,
    user_rows: UserRows | None = None,
    plan: TrainingPlan | None = None,
    signals: Signals | None = None,
    min_buyers: int = 5,
    target_days: int = TARGET_DAYS,
) -> TrainingManifest:
    """Write a training set.

    Args:
        dataset_dir: a canonical dataset.
        features_dir: the feature tables made from it.
        out_dir: the folder to write; replaced when it exists, once all of the new one is there.
        user_rows: where user features come from; the feature folder when left out.
        plan: what is trained, and how; without one everything is.
        signals: which events teach; the plan's, where there is one, else the defaults.
        min_buyers: items that fewer users bought are neither candidates nor truth; the plan's, where there is one.
        target_days: how far the two-tower's targets reach from a snapshot; the plan's, where there is one.

    Raises:
        DataRejected: the data is too short for everything, and no plan leaves anything out; or the features are not there.
    """
    features = read_manifest(features_dir)
    if plan is not None:
        min_buyers, target_days = plan.min_buyers, plan.times.target_days
    moments = fitting_moments(
        features.snapshot_times,
        features.pair_times,
        cut=features.cut,
        data_end=features.data_end,
        target_days=target_days,
        horizon_days=features.horizon_days,
    )
    if plan is None:
        demand_training(moments)
    elif not plan.trains(TWO_TOWER):
        moments = replace(moments, snapshots=())
    rows = user_rows or FolderRows(features_dir)
    taught_by = plan.signals if plan is not None else signals or Signals()
    build = _Build(dataset_dir, features_dir, rows, features, moments, min_buyers, target_days, plan, taught_by)
    with replacing_folder(out_dir) as aside:
        manifest = build.write(aside)
    get_logger("build_training_set").info("training set built", users=manifest.users, examples=manifest.examples, targets=manifest.targets)
    return manifest


@dataclass(frozen=True)
class _Build:
    """One build and what it is made from."""

    dataset_dir: Path
    features_dir: Path
    user_rows: UserRows
    features: FeatureManifest
    moments: Moments
    min_buyers: int
    target_days: int
    plan: TrainingPlan | None
    signals: Signals

    def write(self, folder: Path) -> TrainingManifest:
        items = pl.read_parquet(self.dataset_dir / "items.parquet").sort("item_id")
        items = items.with_columns(family_ids(items).alias("family_id"))
        items.write_parquet(folder / "items.parquet")
        item_index = items.select("item_id", pl.int_range(1, pl.len() + 1, dtype=pl.Int32).alias("item_index"))
        bought.write_purchases(self.dataset_dir, item_index, folder / "purchases.parquet", folder / "anonymous.parquet")
        interactions_file = folder / INTERACTIONS_NAME
        written = write_interactions(self.dataset_dir, item_index, self.signals, self.moments.full, interactions_file)
        self._write_moments(folder)
        parts = UserParts(
            folder / "purchases.parquet",
            folder / "anonymous.parquet",
            interactions_file if written else None,
            self.moments,
            self.user_rows,
            item_index,
            self._write_vocabularies(folder),
            self.target_days,
            self.min_buyers,
            "purchases" if self.plan is None else self.plan.eligible_by,
        )
        examples = parts.write(folder)
        visits = written.visits if written else 0
        manifest = TrainingManifest(
            data_start=self.features.first_event_at,
            data_end=self.features.data_end,
            cut=self.moments.cut,
            ranking_windows=list(self.moments.windows),
            snapshots=list(self.moments.snapshots),
            horizon_days=self.features.horizon_days,
            target_days=self.target_days,
            min_buyers=self.min_buyers,
            dataset_fingerprint=self.features.dataset_fingerprint,
            plan=self.plan,
            signals=self.signals,
            shortened=written.shortened if written else 0,
            users=SequenceShards.of(folder / "sequences").users - visits,
            visits=visits,
            shown=self._write_shown(item_index, folder),
            items=len(items),
            examples=sum(shard.examples for shard in examples.shards),
            targets=sum(shard.targets for shard in examples.shards),
        )
        (folder / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
        return manifest

    def _write_shown(self, item_index: pl.DataFrame, folder: Path) -> ShownLists | None:
        """Only the ranker of purchases learns from it."""
        windows, plan = self.moments.windows, self.plan
        if not windows or (plan is not None and (not plan.trains(RANKER) or plan.ranks != "purchases")):
            return None
        return write_shown_lists(self.dataset_dir, item_index, folder / SHOWN_NAME, since=windows[0], until=self.moments.cut)

    def _write_moments(self, folder: Path) -> None:
        moments = self.moments
        item_rows(self.features_dir, [*moments.snapshots, *moments.full]).write_parquet(folder / "item_features.parquet")
        purchases = pl.scan_parquet(folder / "purchases.parquet")
        labels = [bought.labels(purchases, moment, self.features.horizon_days) for moment in (*moments.windows, moments.cut)]
        pl.concat(labels).write_parquet(folder / "labels.parquet")
        write_full_user_rows(self.user_rows, known_users(self.features_dir, moments.full), folder / "user_rows.parquet")

    def _write_vocabularies(self, folder: Path) -> dict[str, Vocabulary]:
        known = (
            pl.scan_parquet(self.features_dir / "user_features.parquet")
            .filter(pl.col("event_timestamp") <= self.moments.cut)
            .select(pl.col(name).unique().implode() for name in USER_CATEGORICAL)
            .collect()
        )
        vocabularies = {name: Vocabulary.of(known[name][0].to_list()) for name in USER_CATEGORICAL}
        names = {name: list(vocabulary.names) for name, vocabulary in vocabularies.items()}
        (folder / "vocabularies.json").write_text(json.dumps({"user": names}, indent=1, ensure_ascii=False), encoding="utf-8")
        return vocabularies
