"""Stands in for what is below KServe where pods are scaled: the HorizontalPodAutoscaler's controller and KEDA, under no load.

Rule: replicas by autoscaler class.

Observed: "The Deployment's `replicas` starts at 1 whatever `minReplicas` says; the HorizontalPodAutoscaler then raises it." "HPA and
`kubectl scale` replicas survive upgrades." "Changing `autoscaling.class` leaves the old HorizontalPodAutoscaler or ScaledObject behind,
which goes on scaling." So each autoscaler object is obeyed, whatever class the InferenceService names by now; two of them pull in turn.

Stricter than the real ones: it acts at once, without stabilization windows and without a limit a minute.
Kinder: metrics are never read, so that nothing scales out by load, and a ScaledObject with `minReplicaCount: 0` never goes to 0.
"""

from dataclasses import dataclass
from typing import Any

from tests.cluster.rest import Objects

MANAGER = "horizontal-pod-autoscaler"
"""Another field manager than KServe's: its server-side apply leaves `spec.replicas` alone."""
HORIZONTAL = ("autoscaling/v2", "HorizontalPodAutoscaler")
SCALED_OBJECT = ("keda.sh/v1alpha1", "ScaledObject")


@dataclass(frozen=True)
class Bounds:
    """The fewest and the most pods that one autoscaler object lets a Deployment have."""

    deployment: str
    least: int
    most: int
    wakes_from_zero: bool
    """A HorizontalPodAutoscaler is switched off by `replicas: 0`; KEDA is not."""

    def within(self, replicas: int) -> int:
        """The number of replicas nearest to this that it allows."""
        if replicas == 0 and not self.wakes_from_zero:
            return 0
        return min(max(replicas, self.least), self.most)


class Autoscaler:
    """Keeps the Deployments of a namespace within the bounds of all autoscaler objects there.

    Args:
        api_client: of the `kubernetes` package.
        namespace: the only one it looks at.
    """

    def __init__(self, api_client: Any, namespace: str) -> None:
        self._objects = Objects(api_client, MANAGER)
        self._namespace = namespace

    def scale(self) -> None:
        """Look at every autoscaler object once."""
        found = [_of_horizontal(each) for each in self._objects.list_all(*HORIZONTAL, self._namespace)]
        found += [_of_scaled_object(each) for each in self._objects.list_all(*SCALED_OBJECT, self._namespace)]
        if not found:
            return
        deployments = {each["metadata"]["name"]: each for each in self._objects.list_all("apps/v1", "Deployment", self._namespace)}
        for bounds in found:
            if deployment := deployments.get(bounds.deployment):
                present = deployment["spec"]["replicas"]
                wanted = bounds.within(present)
                if wanted != present:
                    self._objects.scale(deployment, wanted)


def _of_horizontal(found: dict[str, Any]) -> Bounds:
    spec = found["spec"]
    return Bounds(spec["scaleTargetRef"]["name"], spec.get("minReplicas", 1), spec["maxReplicas"], wakes_from_zero=False)


def _of_scaled_object(found: dict[str, Any]) -> Bounds:
    spec = found["spec"]
    return Bounds(spec["scaleTargetRef"]["name"], spec.get("minReplicaCount", 0), spec.get("maxReplicaCount", 100), wakes_from_zero=True)
