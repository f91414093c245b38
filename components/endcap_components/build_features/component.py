"""Pipeline component: feature tables from a dataset."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def build_features(
    dataset: Input[Dataset], test_weeks: int, ranking_windows: int, features: Output[Dataset], metrics: Output[Metrics]
) -> None:
    """Build the feature tables of a canonical dataset."""
    from pathlib import Path

    from endcap.core.settings import load_settings
    from endcap_components.build_features.step import build_features_step, step_metrics
    from endcap_components.kfp_step import log_metrics

    computed = load_settings().features.computed
    summary = build_features_step(Path(dataset.path), Path(features.path), test_weeks, ranking_windows, computed)
    features.metadata["fingerprint"] = summary.manifest.fingerprint
    features.metadata["cut"] = summary.manifest.cut.isoformat()
    logged = step_metrics(summary)
    log_metrics(metrics, logged)
