"""Feature tables from a canonical dataset, computed by the feature expressions on DuckDB."""

import shutil
import tempfile
from pathlib import Path

from endcap.core.log import get_logger
from endcap.features.computing import FeatureSummary, compute_features
from endcap.features.duckdb_engine import Compute, DuckDbEngine, connect_duckdb
from endcap.features.folder import replace_folder
from endcap.features.snapshots import FeatureOptions


def build_feature_tables(
    dataset_dir: Path, out_dir: Path, options: FeatureOptions | None = None, compute: Compute | None = None
) -> FeatureSummary:
    """Compute all feature tables of a dataset and write them as one folder.

    Writes `user_features.parquet`, `user_item_features.parquet`, `item_features.parquet` and `features.json` aside and then moves them to
    `out_dir`, replacing what is there.

    Raises:
        DataRejected: a required table is missing, unreadable or empty, or the time range is too short.
    """
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{out_dir.name}-", dir=out_dir.parent))
    try:
        with connect_duckdb(aside / "spill", compute or Compute()) as connection:
            summary = compute_features(DuckDbEngine(connection, dataset_dir, aside), options or FeatureOptions())
        shutil.rmtree(aside / "spill", ignore_errors=True)
        summary.manifest.write(aside)
        aside.chmod(0o755)
        replace_folder(aside, out_dir)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    get_logger("features").info("features built", cut=summary.manifest.cut.isoformat(), seconds=round(sum(summary.seconds.values()), 1))
    return summary
