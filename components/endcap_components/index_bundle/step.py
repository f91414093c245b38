"""The step index_bundle: the bundle's items in Milvus, loaded and checked."""

from pathlib import Path

from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.release.bundle.manifest import open_bundle
from endcap.release.index.bundle_index import IndexReport, index_bundle


def index_bundle_step(bundle_dir: Path, settings: Settings) -> IndexReport:
    """Build and check the bundle's collection; a complete one is only checked. The alias stays where it is.

    Raises:
        BundleInvalid: the bundle is damaged, or the index finds too few of the exact nearest items.
        DependencyUnavailable: Milvus does not answer.
    """
    bundle = open_bundle(bundle_dir)
    report = index_bundle(bundle, settings.milvus, limit=bundle.manifest.quotas["two_tower_quota"], seed=settings.seed)
    get_logger("index_bundle").info("indexed", collection=report.collection, items=report.items, self_recall=round(report.self_recall, 4))
    return report
