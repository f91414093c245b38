"""The step deploy_bundle: the bundle becomes the one that is served, at once or through a rollout."""

from pathlib import Path
from typing import Protocol

from endcap.core.log import get_logger
from endcap.core.settings import Settings
from endcap.release.bundle.deployment_record import Deployment, write_deployment
from endcap.release.bundle.rollout_target import rollout_target
from endcap_components.deploy_bundle.promotion import LocalPromotion
from endcap_components.deploy_bundle.rollout import ClusterRollout


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
