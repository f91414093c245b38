"""The step build_tables: what the candidate sources read, counted as of every moment that someone looks from."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from endcap.algorithms.registry import DEFAULT_ALGORITHM, item_to_item_of, neighbour_algorithm
from endcap.contracts.event import EventType
from endcap.contracts.signals import PURCHASE_CODE, signal_code
from endcap.core.files import replacing_folder
from endcap.core.log import get_logger
from endcap.engine.retrieval.popular import OVERALL
from endcap.features.columns import USER_CATEGORICAL
from endcap.features.net_purchases import standing
from endcap.training.moment_tables import ServedTables, TablesArtifact
from endcap.training.training_set import TrainingSet
from endcap_components.build_tables.complements import complements_of
from endcap_components.build_tables.ease_table import EaseTable
from endcap_components.build_tables.neighbours import learned_from
from endcap_components.build_tables.occasions import latest_start, occasions
from endcap_components.build_tables.popularity import popularity_of, repurchase_gap_days, trend_start, trending_at

POPULARITY_DAYS = 28
SERVED_DAYS = 365
GAP_DAYS = 365
TOGETHER = (PURCHASE_CODE, signal_code(EventType.ADD_TO_CART))
"""What says that items of a visit go together: who looks at two pairs of shoes takes one."""


def build_tables(
    training_dir: Path,
    out_dir: Path,
    *,
    item_to_item: Mapping[str, Any] = DEFAULT_ALGORITHM,
    ease: Mapping[str, Any] = MappingProxyType({}),
    popularity_days: int = POPULARITY_DAYS,
    neighbours: int = 50,
    seed: int = 0,
) -> dict[str, float]:
    """Write a tables artifact.

    Item-to-item, popularity and repurchase gaps as of each ranking window, the cut and the data's end, EASE's weights too where order
    matters; complements and trends as of the data's end.

    Args:
        training_dir: a training set.
        out_dir: the folder to write; replaced when it exists, once all of the new one is there.
        item_to_item: `method`, and those of its settings that are not its defaults.
        ease: values of `EaseTable` that are not its defaults.
        popularity_days: purchases of so many days count as popularity.
        neighbours: kept for each item.
        seed: of everything random in the algorithm.

    Returns:
        Counts by name.

    Raises:
        InvalidInput: `item_to_item` names no algorithm with neighbours, or settings that the algorithm does not have; or `ease` has
            such a setting.
    """
    neighbour_algorithm(item_to_item)
    ease_table = EaseTable.of(ease)
    training = TrainingSet(training_dir)
    manifest = training.manifest
    purchases = training.purchases_of_all
    counts: dict[str, float] = {}
    with replacing_folder(out_dir) as aside:
        tables = TablesArtifact(aside)
        counts |= _write_neighbours(training, tables, item_to_item, ease_table, seed=seed, neighbours=neighbours)
        for moment in (*manifest.ranking_windows, manifest.cut, manifest.data_end):
            late = _latest(purchases, popularity_days, moment)
            others = _others(training, popularity_days, moment) if training.has_signals else None
            popularity = popularity_of(late, _users(training_dir, moment), len(training.item_rows), others)
            tables.write_popularity(moment, popularity)
            counts["segments"] = float(len(popularity.by_segment))
            gap_days = repurchase_gap_days(_between(purchases, moment - timedelta(days=GAP_DAYS), moment), len(training.item_rows))
            tables.write_repurchase_gaps(moment, gap_days)
            counts["items_with_gap"] = float(np.count_nonzero(gap_days))
        served = _served(training, purchases, manifest.data_end, neighbours)
        tables.write_served(manifest.data_end, served)
        counts["items_with_complements"] = float((served.complements.index[:, 0] > 0).sum())
        counts["trending_items"] = float(len(served.trending.by_segment[OVERALL].index))
    get_logger("build_tables").info("tables built", **counts)
    return counts


def _write_neighbours(
    training: TrainingSet, tables: TablesArtifact, item_to_item: Mapping[str, Any], ease: EaseTable, *, seed: int, neighbours: int
) -> dict[str, float]:
    """Item-to-item of every moment, EASE where the data calls for it; counts of the data's end."""
    with_ease = ease.is_wanted(training)
    algorithm = neighbour_algorithm(item_to_item, beside_ease=with_ease)
    counts = {}
    for moment in (*training.manifest.ranking_windows, training.manifest.cut, training.manifest.data_end):
        data = learned_from(training, moment)
        table = item_to_item_of(algorithm.fit(data, seed), neighbours)
        tables.write_item_to_item(moment, table)
        counts["items_with_neighbours"] = float((table.index[:, 0] > 0).sum())
        if with_ease:
            weights = ease.made_from(data.interactions)
            tables.write_ease(moment, weights)
            counts["items_with_ease"] = float((weights.index[:, 0] > 0).sum())
    return counts


def _served(training: TrainingSet, purchases: pl.DataFrame, moment: datetime, neighbours: int) -> ServedTables:
    since = moment - timedelta(days=SERVED_DAYS)
    if training.has_signals:
        trending = occasions(training, trend_start(moment), moment)
        together = occasions(training, since, moment, TOGETHER)
    else:
        trending = together = _between(purchases, since, moment)
    eligible = training.eligible_at(moment)
    trending, together = (rows.filter(pl.Series(eligible[rows["item_index"].to_numpy()])) for rows in (trending, together))
    return ServedTables(
        trending=trending_at(trending, _users(training.path, moment), moment),
        complements=complements_of(together, len(training.item_rows), neighbours),
    )


def _others(training: TrainingSet, days: int, moment: datetime) -> pl.DataFrame:
    """What was done of late beside purchases."""
    codes = [code for code in training.manifest.signals.counted if code != PURCHASE_CODE]
    return occasions(training, latest_start(training, days, moment), moment, codes)


def _users(training_dir: Path, moment: datetime) -> pl.DataFrame:
    rows = pl.scan_parquet(training_dir / "user_rows.parquet").filter(pl.col("event_timestamp") == moment)
    return rows.select("user_id", *USER_CATEGORICAL).collect()


def _latest(purchases: pl.DataFrame, days: int, moment: datetime) -> pl.DataFrame:
    """Purchases of the days before a moment; where nothing was bought in them, of as many days up to the last purchase."""
    late = _between(purchases, moment - timedelta(days=days), moment)
    newest = purchases.filter(pl.col("occurred_at") < moment)["occurred_at"].max() if late.is_empty() else None
    return _between(purchases, newest - timedelta(days=days), moment) if isinstance(newest, datetime) else late


def _between(purchases: pl.DataFrame, start: datetime, end: datetime) -> pl.DataFrame:
    """What was bought in between and still stands at the end."""
    return purchases.filter(pl.col("occurred_at") >= start, pl.col("occurred_at") < end, standing(pl.lit(end)))
