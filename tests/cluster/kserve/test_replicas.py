"""Who says how many replicas a predictor's Deployment has, by the class of its autoscaler."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.cluster.cluster import Cluster, until
from tests.cluster.command import Command
from tests.cluster.kserve_standin import KServeStandIn
from tests.cluster.rest import Objects

RUNTIME = {
    "apiVersion": "serving.kserve.io/v1alpha1",
    "kind": "ServingRuntime",
    "metadata": {"name": "model-server"},
    "spec": {"supportedModelFormats": [{"name": "tensorflow"}], "containers": [{"name": "kserve-container", "image": "model-server"}]},
}


class Shelf:
    """One InferenceService, reconciled when a test says so."""

    def __init__(self, objects: Objects, stand_in: KServeStandIn, kubectl: Command, namespace: str) -> None:
        self._objects, self._stand_in, self._kubectl = objects, stand_in, kubectl
        self.namespace = namespace

    def apply(self, name: str, autoscaler: str, least: int, most: int) -> None:
        annotations = {"serving.kserve.io/deploymentMode": "Standard", "serving.kserve.io/autoscalerClass": autoscaler}
        metric = {"resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}, "type": "Resource"}
        model = {"modelFormat": {"name": "tensorflow"}, "runtime": "model-server", "storageUri": "pvc://bundles/1"}
        self._objects.apply(
            {
                "apiVersion": "serving.kserve.io/v1beta1",
                "kind": "InferenceService",
                "metadata": {"name": name, "namespace": self.namespace, "annotations": annotations},
                "spec": {
                    "predictor": {"minReplicas": least, "maxReplicas": most, "autoScaling": {"metrics": [metric]}, "model": model},
                },
            }
        )

    def replicas(self, name: str) -> int:
        """After one look of KServe and the autoscalers."""
        self._stand_in.reconcile()
        return int(self.deployment(name)["spec"]["replicas"])

    def deployment(self, name: str) -> dict[str, Any]:
        return self._objects.get("apps/v1", "Deployment", self.namespace, f"{name}-predictor")

    def scale(self, name: str, replicas: int) -> None:
        self._kubectl("scale", f"deployment/{name}-predictor", f"--replicas={replicas}", "--namespace", self.namespace)


@pytest.fixture(scope="module")
def shelf(cluster: Cluster, kubectl: Command, operator_crds: None, make_namespace: Callable[[str], str]) -> Iterator[Shelf]:
    namespace = make_namespace("replicas")
    with cluster.api_client() as api_client:
        objects = Objects(api_client, "tests")
        objects.apply({**RUNTIME, "metadata": {"name": "model-server", "namespace": namespace}})
        yield Shelf(objects, KServeStandIn(api_client, namespace, runs_pods=False), kubectl, namespace)


@pytest.mark.parametrize("autoscaler", ["hpa", "keda"])
def test_an_autoscaler_keeps_the_replicas_within_its_bounds_and_leaves_them_there(shelf: Shelf, autoscaler: str) -> None:
    shelf.apply(autoscaler, autoscaler, least=2, most=5)
    assert shelf.replicas(autoscaler) == 2
    shelf.scale(autoscaler, 4)
    shelf.apply(autoscaler, autoscaler, least=2, most=6)
    assert shelf.replicas(autoscaler) == 4
    shelf.scale(autoscaler, 9)
    assert shelf.replicas(autoscaler) == 6
    shelf.apply(autoscaler, autoscaler, least=2, most=3)
    assert shelf.replicas(autoscaler) == 3


@pytest.mark.parametrize(("autoscaler", "woken"), [("hpa", 0), ("keda", 2)])
def test_no_replicas_switch_a_horizontal_pod_autoscaler_off(shelf: Shelf, autoscaler: str, woken: int) -> None:
    name = f"zero-{autoscaler}"
    shelf.apply(name, autoscaler, least=2, most=5)
    shelf.replicas(name)
    shelf.scale(name, 0)
    assert shelf.replicas(name) == woken


@pytest.mark.parametrize("autoscaler", ["none", "external"])
def test_without_an_autoscaler_replicas_are_the_fewest(shelf: Shelf, autoscaler: str) -> None:
    shelf.apply(autoscaler, autoscaler, least=3, most=5)
    assert shelf.replicas(autoscaler) == 3
    shelf.scale(autoscaler, 5)
    assert shelf.replicas(autoscaler) == 3


def test_the_autoscaler_of_a_class_that_is_no_more_goes_on_scaling(shelf: Shelf) -> None:
    shelf.apply("changed", "hpa", least=3, most=5)
    assert shelf.replicas("changed") == 3
    shelf.apply("changed", "keda", least=1, most=5)
    shelf.scale("changed", 1)
    assert shelf.replicas("changed") == 3


def test_pods_are_left_to_somebody_else_where_the_stand_in_does_not_run_them(shelf: Shelf, cluster: Cluster) -> None:
    shelf.apply("idle", "hpa", least=1, most=1)
    shelf.replicas("idle")
    until(lambda: shelf.deployment("idle").get("status", {}).get("unavailableReplicas") == 1, "the pod that is not ready")
    shelf.replicas("idle")
    assert "readyReplicas" not in shelf.deployment("idle")["status"]
