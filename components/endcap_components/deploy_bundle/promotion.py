"""Deployment on a laptop: index, alias, served folder and champion move at once."""

from pathlib import Path

from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.release.bundle.deployment_record import Deployment
from endcap.release.bundle.release import install_bundle, is_released, release_bundle
from endcap.release.index.bundle_index import point_alias


class LocalPromotion:
    """Promotes a bundle where this process runs."""

    def deploy(self, bundle_dir: Path, settings: Settings) -> Deployment:
        """Install the bundle, move the alias, the served folder and the registry's champion.

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
        return Deployment(version=bundle.manifest.version)
