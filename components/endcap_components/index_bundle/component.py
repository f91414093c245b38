"""Pipeline component: the bundle's collection in Milvus."""

from kfp import dsl
from kfp.dsl import Input, Metrics, Model, Output

from endcap_components.image import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def index_bundle(bundle: Input[Model], metrics: Output[Metrics]) -> str:
    """Build, load and check the collection; returns its name."""
    from pathlib import Path

    from endcap.core.settings import load_settings
    from endcap_components.index_bundle.step import index_bundle_step

    report = index_bundle_step(Path(bundle.path), load_settings())
    metrics.log_metric("self_recall", report.self_recall)
    metrics.log_metric("items", report.items)
    return report.collection
