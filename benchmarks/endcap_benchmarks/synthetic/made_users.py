"""Made-up people as feature tables, taken into the real feature store by the pipeline's own code.

How many items they bought before follows Complete Journey: 1 to 600, a quarter below 125, half below 276.
"""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.core.settings import Settings
from endcap.features.columns import ITEM_NUMERIC, PAIR_LISTS, PAIRS_MAX, USER_AFFINITY, USER_CATEGORICAL, USER_HISTORY, USER_NUMERIC
from endcap.features.manifest import FeatureManifest
from endcap.features.names import ITEM_FEATURES, USER_FEATURES, USER_ITEM_FEATURES
from endcap.features.store.materialize import materialize
from endcap.features.store.publish import publish_features
from endcap_benchmarks.synthetic.bundle import DATA_END, SyntheticSize, make_feature_row

PAIRS_QUANTILES = ((0.0, 1), (0.25, 125), (0.5, 276), (0.75, 509), (0.85, PAIRS_MAX), (1.0, PAIRS_MAX))


def user_ids(count: int) -> list[str]:
    return [f"U{number}" for number in range(count)]


def pair_counts(count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """int64 [count], items a person bought before, by PAIRS_QUANTILES."""
    share, pairs = zip(*PAIRS_QUANTILES, strict=True)
    return np.asarray(np.interp(random.random(count), share, pairs), dtype=np.int64)


def publish_users(settings: Settings, size: SyntheticSize, users: int, seed: int) -> None:
    """Write feature tables of `users` people, publish them and take them into the online store.

    Raises:
        DependencyUnavailable: Feast refused.
    """
    folder = Path(tempfile.mkdtemp(prefix=".made-users-", dir=settings.home))
    try:
        _write_tables(folder, size, users, seed)
        publish_features(folder, settings)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    materialize(settings, DATA_END)


def _write_tables(folder: Path, size: SyntheticSize, users: int, seed: int) -> None:
    counts = pair_counts(users, np.random.default_rng(seed))
    rows = [
        {"user_id": user_id} | make_feature_row(user_id, size, pairs=int(pairs))
        for user_id, pairs in zip(user_ids(users), counts, strict=True)
    ]
    profile = (*USER_NUMERIC, *USER_CATEGORICAL, *USER_HISTORY, *USER_AFFINITY)
    _write(folder / f"{USER_FEATURES}.parquet", rows, profile)
    _write(folder / f"{USER_ITEM_FEATURES}.parquet", rows, PAIR_LISTS)
    item = {"item_id": "I000000", "event_timestamp": DATA_END, **dict.fromkeys(ITEM_NUMERIC, 0.0)}
    pl.DataFrame([item], schema={name: _dtype(name) for name in item}).write_parquet(folder / f"{ITEM_FEATURES}.parquet")
    FeatureManifest(
        fingerprint=f"made-{size.items}-{users}-{seed}",
        dataset_fingerprint="synthetic",
        first_event_at=DATA_END - timedelta(days=365),
        last_event_at=DATA_END,
        data_end=DATA_END,
        cut=DATA_END,
        ranking_times=(DATA_END,),
        pair_times=(DATA_END,),
        snapshot_times=(DATA_END,),
        rows={USER_FEATURES: users, USER_ITEM_FEATURES: users, ITEM_FEATURES: 1},
    ).write(folder)


def _write(path: Path, rows: list[dict], columns: tuple[str, ...]) -> None:  # type: ignore[type-arg]
    names = ("user_id", "event_timestamp", *columns)
    pl.DataFrame([{name: row[name] for name in names} for row in rows], schema={name: _dtype(name) for name in names}).write_parquet(path)


def _dtype(name: str) -> pl.DataType:
    """As the pipeline's feature tables have it."""
    if name == "event_timestamp":
        return pl.Datetime("us", "UTC")
    if name in ("user_id", "item_id") or name in USER_CATEGORICAL:
        return pl.String()
    if name.endswith("_ids"):
        return pl.List(pl.String)
    if name.endswith(("_at", "_signals")):
        return pl.List(pl.Int64)
    is_list = name in (*USER_HISTORY, *USER_AFFINITY, *PAIR_LISTS)
    return pl.List(pl.Float32) if is_list else pl.Float32()
