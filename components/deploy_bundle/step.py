"""The step deploy_bundle: the bundle becomes the one that is served, and the champion."""

from pathlib import Path

from endcap.bundle.release import install_bundle, is_released, release_bundle
from endcap.index.bundle_index import point_alias
from endcap.log import get_logger
from endcap.settings import Settings


def deploy_bundle_step(bundle_dir: Path, settings: Settings) -> int:
    """Install the bundle, move the alias, the served folder and the registry's champion; returns the version that is served.

    When the last release was of this bundle, only the alias is made sure of: the collection may have been built again.

    Raises:
        BundleInvalid: the bundle is damaged.
        DependencyUnavailable: Milvus or MLflow does not answer.
    """
    bundle = install_bundle(bundle_dir, settings.bundles_dir)
    if is_released(bundle, settings):
        pruned = point_alias(settings.milvus, bundle.manifest.collection)
    else:
        pruned = release_bundle(bundle, settings).pruned
    get_logger("deploy_bundle").info("served", version=bundle.manifest.version, collection=bundle.manifest.collection, pruned=pruned)
    return bundle.manifest.version
