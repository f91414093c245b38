"""Pipeline component: feature tables from a dataset."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def build_features(dataset: Input[Dataset], plan: Input[Dataset], features: Output[Dataset], metrics: Output[Metrics]) -> None:
    """Build the feature tables of a canonical dataset, at the moments of the plan."""
    from pathlib import Path

    from endcap.core.settings import load_settings
    from endcap.features.snapshots import FeatureOptions
    from endcap.training.plan import read_plan
    from endcap_components.build_features.step import build_features_step, step_metrics
    from endcap_components.kfp_step import log_metrics

    computed = load_settings().features.computed
    planned = read_plan(Path(plan.path))
    options = FeatureOptions.of(planned.times, planned.signals)
    summary = build_features_step(Path(dataset.path), Path(features.path), options, computed)
    features.metadata["fingerprint"] = summary.manifest.fingerprint
    features.metadata["cut"] = summary.manifest.cut.isoformat()
    logged = step_metrics(summary)
    log_metrics(metrics, logged)
