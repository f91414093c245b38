"""Pipeline component: the bundle's collection in Milvus."""

from kfp import dsl
from kfp.dsl import Input, Metrics, Model, Output

from endcap_components.kfp_step import BASE_IMAGE


@dsl.component(base_image=BASE_IMAGE, packages_to_install=[], install_kfp_package=False)
def index_bundle(bundle: Input[Model], metrics: Output[Metrics]) -> str:
    """Build, load and check the collection; a complete one is only checked, the alias stays where it is. Returns the collection's name."""
    from pathlib import Path

    from endcap.core.log import get_logger
    from endcap.core.settings import load_settings
    from endcap.release.bundle.manifest import open_bundle
    from endcap.release.index.bundle_index import index_bundle as index

    opened, settings = open_bundle(Path(bundle.path)), load_settings()
    report = index(opened, settings.milvus, limit=opened.manifest.quotas["two_tower_quota"], seed=settings.seed)
    get_logger("index_bundle").info("indexed", collection=report.collection, items=report.items, self_recall=round(report.self_recall, 4))
    metrics.log_metric("self_recall", report.self_recall)
    metrics.log_metric("items", report.items)
    return report.collection
