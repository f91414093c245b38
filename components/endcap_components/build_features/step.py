"""Step: feature tables from a dataset."""

from pathlib import Path

from endcap.features.computed import take_up_computed
from endcap.features.computing import FeatureSummary, build_feature_tables
from endcap.features.snapshots import FeatureOptions


def build_features_step(dataset_dir: Path, features_dir: Path, options: FeatureOptions, computed: str | None = None) -> FeatureSummary:
    """Build the feature tables of a canonical dataset, or take up those that the Spark job computed.

    Args:
        dataset_dir: the dataset.
        features_dir: the folder to make or replace.
        options: which snapshots are made.
        computed: where the Spark job leaves its tables, if there is one; what is not of this dataset and these options is not used.

    Raises:
        DataRejected: the dataset cannot be used, or is too short for the weeks kept for evaluation.
    """
    taken = take_up_computed(computed, dataset_dir, features_dir, options) if computed else None
    return taken or build_feature_tables(dataset_dir, features_dir, options)


def step_metrics(summary: FeatureSummary) -> dict[str, float]:
    """Rows and seconds by table, as numbers to log."""
    rows = {f"rows_{name}": float(count) for name, count in summary.rows.items()}
    return rows | {f"seconds_{name}": seconds for name, seconds in summary.seconds.items()}
