"""Step: feature tables from a dataset."""

from pathlib import Path

from endcap.features.build import build_feature_tables
from endcap.features.computing import FeatureSummary
from endcap.features.snapshots import FeatureOptions


def build_features_step(dataset_dir: Path, features_dir: Path, test_weeks: int, ranking_windows: int) -> FeatureSummary:
    """Build the feature tables of a canonical dataset.

    Raises:
        DataRejected: the dataset cannot be used, or is too short for the weeks kept for evaluation.
    """
    return build_feature_tables(dataset_dir, features_dir, FeatureOptions(test_weeks=test_weeks, ranking_windows=ranking_windows))


def step_metrics(summary: FeatureSummary) -> dict[str, float]:
    """Rows and seconds by table, as numbers to log."""
    rows = {f"rows_{name}": float(count) for name, count in summary.rows.items()}
    return rows | {f"seconds_{name}": seconds for name, seconds in summary.seconds.items()}
