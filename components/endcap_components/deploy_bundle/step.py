"""The step deploy_bundle: the bundle becomes the one that is served, at once or through a rollout."""

from pathlib import Path
from typing import Protocol

from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.release.bundle.deployment_record import Deployment, write_deployment
from endcap.release.bundle.rollout_place import rollout_place
from endcap_components.deploy_bundle.promotion import LocalPromotion
from endcap_components.deploy_bundle.rollout import ClusterRollout


class Way(Protocol):
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
    deployment = way_of(settings).deploy(bundle_dir, settings)
    write_deployment(settings.home, deployment)
    get_logger("deploy_bundle").info(deployment.told(), version=deployment.version)
    return deployment


def way_of(settings: Settings) -> Way:
    place = rollout_place(settings.rollouts)
    return LocalPromotion() if place is None else ClusterRollout(place)
