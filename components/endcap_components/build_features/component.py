"""Pipeline component: feature tables from a dataset."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Output

from endcap_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def build_features(
    dataset: Input[Dataset], test_weeks: int, ranking_windows: int, features: Output[Dataset], metrics: Output[Metrics]
) -> None:
    """Build the feature tables of a canonical dataset."""
    import json
    from pathlib import Path

    from endcap.core.settings import load_settings
    from endcap_components.build_features.step import build_features_step, step_metrics

    computed = load_settings().features.computed
    summary = build_features_step(Path(dataset.path), Path(features.path), test_weeks, ranking_windows, computed)
    features.metadata["fingerprint"] = summary.manifest.fingerprint
    features.metadata["cut"] = summary.manifest.cut.isoformat()
    logged = step_metrics(summary)
    for name, value in logged.items():
        metrics.log_metric(name, value)
    # The file makes the step cacheable: a step whose output artifact was never written is run each time.
    Path(metrics.path).parent.mkdir(parents=True, exist_ok=True)
    Path(metrics.path).write_text(json.dumps(logged))
