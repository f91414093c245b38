"""The step deploy_bundle: the bundle becomes the one that is served, and the champion."""

from pathlib import Path

from endcap.bundle.release import Release, install_bundle, release_bundle
from endcap.log import get_logger
from endcap.settings import Settings


def deploy_bundle_step(bundle_dir: Path, settings: Settings) -> Release:
    """Install the bundle, move the alias, the served folder and the registry's champion.

    Raises:
        BundleInvalid: the bundle is damaged.
        DependencyUnavailable: Milvus or MLflow does not answer.
    """
    release = release_bundle(install_bundle(bundle_dir, settings.bundles_dir), settings)
    get_logger("deploy_bundle").info("served", version=release.version, collection=release.index.collection, pruned=release.pruned)
    return release
