"""Who says how many replicas a predictor's Deployment has, by the class of its autoscaler."""

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.kserve.shelf import Service, Shelf
from tests.cluster.kserve_standin import KServeStandIn
from tests.waiting import until

METRICS = [{"resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}, "type": "Resource"}]


def scaled(name: str, autoscaler: str, least: int, most: int) -> Service:
    predictor = {"minReplicas": least, "maxReplicas": most, "autoScaling": {"metrics": METRICS}}
    return Service(name, annotations={"serving.kserve.io/autoscalerClass": autoscaler}, predictor=predictor)


def replicas(shelf: Shelf, name: str) -> int:
    """After one look of KServe and the autoscalers."""
    shelf.reconcile()
    return int(shelf.deployment(name)["spec"]["replicas"])


@pytest.mark.parametrize("autoscaler", ["hpa", "keda"])
def test_an_autoscaler_keeps_the_replicas_within_its_bounds_and_leaves_them_there(shelf: Shelf, autoscaler: str) -> None:
    shelf.apply(scaled(autoscaler, autoscaler, least=2, most=5))
    assert replicas(shelf, autoscaler) == 2
    shelf.scale(autoscaler, 4)
    shelf.apply(scaled(autoscaler, autoscaler, least=2, most=6))
    assert replicas(shelf, autoscaler) == 4
    shelf.scale(autoscaler, 9)
    assert replicas(shelf, autoscaler) == 6
    shelf.apply(scaled(autoscaler, autoscaler, least=2, most=3))
    assert replicas(shelf, autoscaler) == 3


@pytest.mark.parametrize(("autoscaler", "woken"), [("hpa", 0), ("keda", 2)])
def test_no_replicas_switch_a_horizontal_pod_autoscaler_off(shelf: Shelf, autoscaler: str, woken: int) -> None:
    name = f"zero-{autoscaler}"
    shelf.apply(scaled(name, autoscaler, least=2, most=5))
    replicas(shelf, name)
    shelf.scale(name, 0)
    assert replicas(shelf, name) == woken


@pytest.mark.parametrize("autoscaler", ["none", "external"])
def test_without_an_autoscaler_replicas_are_the_fewest(shelf: Shelf, autoscaler: str) -> None:
    shelf.apply(scaled(autoscaler, autoscaler, least=3, most=5))
    assert replicas(shelf, autoscaler) == 3
    shelf.scale(autoscaler, 5)
    assert replicas(shelf, autoscaler) == 3


def test_the_autoscaler_of_a_class_that_is_no_more_goes_on_scaling(shelf: Shelf) -> None:
    shelf.apply(scaled("changed", "hpa", least=3, most=5))
    assert replicas(shelf, "changed") == 3
    shelf.apply(scaled("changed", "keda", least=1, most=5))
    shelf.scale("changed", 1)
    assert replicas(shelf, "changed") == 3


def test_an_autoscaler_that_is_deleted_before_the_class_changes_is_made_again(shelf: Shelf) -> None:
    def scaler() -> str:
        return shelf.kubectl("get", "hpa", "remade-predictor", "--namespace", shelf.namespace, "--ignore-not-found", "--output=name")

    shelf.apply(scaled("remade", "hpa", least=1, most=5))
    shelf.reconcile()
    for service in (scaled("remade", "hpa", least=1, most=5), scaled("remade", "keda", least=1, most=5)):
        shelf.kubectl("delete", "hpa", "remade-predictor", "--namespace", shelf.namespace, "--wait=true")
        shelf.apply(service)
        shelf.reconcile()
        assert bool(scaler()) == (service.annotations["serving.kserve.io/autoscalerClass"] == "hpa")


def test_pods_are_left_to_somebody_else_where_the_stand_in_does_not_run_them(shelf: Shelf, cluster: Cluster) -> None:
    def deployment_status() -> dict[str, int]:
        return dict(shelf.deployment("idle").get("status", {}))

    shelf.apply(Service("idle"))
    with cluster.api_client() as api_client:
        stand_in = KServeStandIn(api_client, shelf.namespace, runs_pods=False)
        stand_in.reconcile()
        until(lambda: deployment_status().get("replicas") == 1, "the pod")
        stand_in.reconcile()
    assert "readyReplicas" not in deployment_status()
