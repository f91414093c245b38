"""Pipeline component: the training set."""

from kfp import dsl
from kfp.dsl import Dataset, Input, Metrics, Output

from endcap_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def build_training_set(
    *,
    dataset: Input[Dataset],
    features: Input[Dataset],
    published: str,
    min_buyers: int,
    training: Output[Dataset],
    metrics: Output[Metrics],
) -> None:
    """Join features and labels point in time; `published` is the fingerprint that publish_features returned."""
    import json
    from pathlib import Path

    from endcap_components.build_training_set.feature_rows import published_rows
    from endcap_components.build_training_set.step import build_training_set as build

    rows = published_rows(Path(features.path), published)
    manifest = build(Path(dataset.path), Path(features.path), Path(training.path), user_rows=rows, min_buyers=min_buyers)
    training.metadata["cut"] = manifest.cut.isoformat()
    training.metadata["fingerprint"] = manifest.dataset_fingerprint
    logged = {name: getattr(manifest, name) for name in ("users", "items", "examples", "targets")}
    for name, value in logged.items():
        metrics.log_metric(name, value)
    # The file makes the step cacheable: a step whose output artifact was never written is run each time.
    Path(metrics.path).parent.mkdir(parents=True, exist_ok=True)
    Path(metrics.path).write_text(json.dumps(logged))
