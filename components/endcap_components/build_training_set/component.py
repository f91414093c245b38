"""Pipeline component: the training set."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def build_training_set(
    *,
    dataset: Input[Dataset],
    features: Input[Dataset],
    plan: Input[Dataset],
    published: str,
    training: Output[Dataset],
    metrics: Output[Metrics],
) -> None:
    """Join features and labels point in time; `published` is the fingerprint that publish_features returned."""
    from pathlib import Path

    from endcap.training.plan import read_plan
    from endcap_components.build_training_set.feature_rows import published_rows
    from endcap_components.build_training_set.step import build_training_set as build
    from endcap_components.kfp_step import log_metrics

    rows = published_rows(Path(features.path), published)
    read = read_plan(Path(plan.path))
    manifest = build(Path(dataset.path), Path(features.path), Path(training.path), user_rows=rows, plan=read)
    training.metadata["cut"] = manifest.cut.isoformat()
    training.metadata["fingerprint"] = manifest.dataset_fingerprint
    logged = {name: getattr(manifest, name) for name in ("users", "items", "examples", "targets")}
    log_metrics(metrics, logged)
