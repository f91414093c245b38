"""Feature tables from a canonical dataset, computed by the feature expressions on DuckDB."""

import shutil
from pathlib import Path

from endcap.core.files import replacing_folder
from endcap.features.computing import FeatureSummary, compute_features
from endcap.features.duckdb_engine import Compute, DuckDbEngine, connect_duckdb
from endcap.features.snapshots import FeatureOptions
from endcap.log import get_logger


def build_feature_tables(
    dataset_dir: Path, out_dir: Path, options: FeatureOptions | None = None, compute: Compute | None = None
) -> FeatureSummary:
    """Compute all feature tables of a dataset and write them as one folder.

    Writes `user_features.parquet`, `user_item_features.parquet`, `item_features.parquet` and `features.json` aside and then moves them to
    `out_dir`, replacing what is there.

    Raises:
        DataRejected: a required table is missing, unreadable or empty, or the time range is too short.
    """
    with replacing_folder(out_dir) as aside:
        with connect_duckdb(aside / "spill", compute or Compute()) as connection:
            summary = compute_features(DuckDbEngine(connection, dataset_dir, aside), options or FeatureOptions())
        shutil.rmtree(aside / "spill", ignore_errors=True)
        summary.manifest.write(aside)
    get_logger("features").info("features built", cut=summary.manifest.cut.isoformat(), seconds=round(sum(summary.seconds.values()), 1))
    return summary
