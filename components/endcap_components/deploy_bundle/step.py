"""The step deploy_bundle: the bundle becomes the one that is served, at once or through a rollout."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from endcap.contracts.rollout import RolloutBundle
from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.release.bundle.deployment_record import Deployment, write_deployment
from endcap.release.bundle.manifest import open_bundle
from endcap.release.bundle.release import install_bundle, is_released, release_bundle
from endcap.release.bundle.rollout_target import RolloutTarget, rollout_target
from endcap.release.index.bundle_index import point_alias
from endcap.release.rollout.client import create_rollout
from endcap.release.tracking import Tracking


@dataclass(frozen=True)
class ClusterRollout:
    """Leaves a bundle to the rollout operator: it goes to the store and the registry, and a Rollout of it to the cluster.

    Alias, served version and champion stay where they are: the operator moves them when it promotes the bundle.

    Attributes:
        target: the InferenceService and its bundle store.
    """

    target: RolloutTarget

    def deploy(self, bundle_dir: Path, settings: Settings) -> Deployment:
        """Copy the bundle to the store, register it, and create its Rollout.

        Raises:
            BundleInvalid: the bundle is damaged, here or in the store.
            DependencyUnavailable: the store, MLflow or Kubernetes does not answer.
        """
        bundle = open_bundle(bundle_dir)
        manifest = bundle.manifest
        tracking = Tracking(settings)
        self.target.store.put(bundle)
        storage_uri = self.target.storage_uri_of(manifest.version)
        tracking.register(manifest, storage_uri)
        candidate = RolloutBundle(version=manifest.version, storage_uri=storage_uri, collection=manifest.collection)
        return Deployment(version=manifest.version, rollout=create_rollout(settings, candidate))


class LocalPromotion:
    """Promotes a bundle where this process runs: index, alias, served folder and champion move at once."""

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


class Deployer(Protocol):
    """How a bundle comes to be served."""

    def deploy(self, bundle_dir: Path, settings: Settings) -> Deployment:
        """Deploy the bundle in a folder; what is served or on its way already stays so."""


def deploy_bundle_step(bundle_dir: Path, settings: Settings) -> Deployment:
    """Promote the bundle locally, or create a Rollout of it when the settings name a target.

    Raises:
        BundleInvalid: the bundle is damaged.
        InvalidInput: a setting of the rollout is missing or wrong.
        DependencyUnavailable: Milvus, MLflow, the bundle store or Kubernetes does not answer.
    """
    deployment = deployer(settings).deploy(bundle_dir, settings)
    write_deployment(settings.home, deployment)
    get_logger("deploy_bundle").info(deployment.message(), version=deployment.version)
    return deployment


def deployer(settings: Settings) -> Deployer:
    target = rollout_target(settings.rollouts)
    return LocalPromotion() if target is None else ClusterRollout(target)
