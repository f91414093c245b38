"""Deployment on a cluster: the bundle goes to the store and the registry, and a Rollout of it to the operator.

Alias, served version and champion stay where they are: the operator moves them when it promotes the bundle.
"""

from dataclasses import dataclass
from pathlib import Path

from endcap.contracts.rollout import RolloutBundle
from endcap.core.settings import Settings
from endcap.release.bundle.deployment_record import Deployment
from endcap.release.bundle.manifest import open_bundle
from endcap.release.bundle.rollout_target import RolloutTarget
from endcap.release.tracking import Tracking


@dataclass(frozen=True)
class ClusterRollout:
    """Leaves a bundle to the rollout operator.

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
        from endcap.release.rollout.client import create_rollout

        bundle = open_bundle(bundle_dir)
        manifest = bundle.manifest
        tracking = Tracking(settings)
        self.target.store.put(bundle)
        storage_uri = self.target.storage_uri_of(manifest.version)
        tracking.register(manifest, storage_uri)
        candidate = RolloutBundle(version=manifest.version, storage_uri=storage_uri, collection=manifest.collection)
        return Deployment(version=manifest.version, rollout=create_rollout(settings, candidate))
