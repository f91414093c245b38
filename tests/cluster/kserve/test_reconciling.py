"""What KServe does again when something else changes: annotations, runtimes, others' hands on its Deployment, routes of its name."""

from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.kserve.route_takeover import ROUTES, VISIBILITY
from tests.cluster.kserve.shelf import RESTRICTED, Service, Shelf, runtime
from tests.cluster.kserve_standin import KServeStandIn


def test_annotations_of_a_service_roll_its_pods_but_the_format_of_its_model_does_not_reach_them(shelf: Shelf, webhooks: None) -> None:
    shelf.apply(Service("noted"))
    shelf.until(lambda: len(shelf.replica_sets("noted")) == 1, "the first ReplicaSet")
    stored = shelf.apply(Service("noted", annotations={"team": "search"}))
    assert stored["metadata"]["annotations"]["modelFormat"] == "tensorflow"
    shelf.until(lambda: len(shelf.replica_sets("noted")) == 2, "the second ReplicaSet")
    annotations = shelf.deployment("noted")["spec"]["template"]["metadata"]["annotations"]
    assert annotations["team"] == "search"
    assert "modelFormat" not in annotations


def test_a_restart_of_the_deployment_is_undone(shelf: Shelf) -> None:
    shelf.apply(Service("restarted"))
    shelf.until(lambda: shelf.is_ready("restarted"), "ready")
    before = shelf.deployment("restarted")["spec"]["template"]
    shelf.kubectl("rollout", "restart", "deployment/restarted-predictor", "--namespace", shelf.namespace)
    assert shelf.deployment("restarted")["spec"]["template"] != before
    shelf.reconcile()
    assert shelf.deployment("restarted")["spec"]["template"] == before


@pytest.mark.parametrize(("annotated", "replica_sets"), [(False, 2), (True, 3)])
def test_a_runtime_that_changes_after_its_service_rolls_the_pods_onto_a_mix_first(
    shelf: Shelf, webhooks: None, annotated: bool, replica_sets: int
) -> None:
    """As Helm writes them: first the InferenceService, then the ServingRuntime."""
    name = f"mixed-{annotated}".lower()

    def write(version: str) -> None:
        annotations = {"example.com/runtime": version} if annotated else {}
        container = {"name": "kserve-container", "image": "model-server", "args": [f"--version={version}"], "securityContext": RESTRICTED}
        shelf.apply(Service(name, annotations=annotations, model={"runtime": name}))
        shelf.apply_runtime(runtime(name, containers=[container]))

    def arguments() -> Any:
        return shelf.deployment(name)["spec"]["template"]["spec"]["containers"][0]["args"]

    write("1")
    shelf.until(lambda: shelf.is_ready(name), "ready")
    write("2")
    shelf.until(lambda: arguments() == ["--version=2"] and len(shelf.replica_sets(name)) >= replica_sets, "the new runtime")
    assert len(shelf.replica_sets(name)) == replica_sets


def test_the_port_of_grpc_says_that_it_speaks_http2(shelf: Shelf) -> None:
    ports = [{"name": "http1", "containerPort": 8080}, {"name": "grpc", "containerPort": 8081}]
    transformer = {"name": "transformer-container", "image": "transformer", "ports": ports, "securityContext": RESTRICTED}
    shelf.apply(Service("ported", predictor={"containers": [transformer]}))
    shelf.reconcile()
    made = shelf.objects.get("v1", "Service", shelf.namespace, "ported-predictor")["spec"]["ports"]
    assert [(each["port"], each.get("appProtocol")) for each in made] == [(80, None), (8081, "kubernetes.io/h2c")]


def _own_route(shelf: Shelf, name: str) -> dict[str, Any]:
    backend = {"name": f"{name}-predictor", "port": 80}
    spec = {"hostnames": ["shop.example.com"], "parentRefs": [{"name": "own"}], "rules": [{"backendRefs": [backend]}]}
    metadata = {"name": name, "namespace": shelf.namespace, "labels": {"team": "shop"}}
    return shelf.objects.apply({"apiVersion": ROUTES[0], "kind": ROUTES[1], "metadata": metadata, "spec": spec})


def test_a_route_of_the_services_name_is_taken_over_without_the_label(shelf: Shelf) -> None:
    _own_route(shelf, "taken")
    shelf.apply(Service("taken"))
    shelf.until(lambda: shelf.is_ready("taken"), "ready")
    shelf.reconcile()
    route = shelf.objects.get(*ROUTES, shelf.namespace, "taken")
    assert route["spec"]["hostnames"] == [f"taken-{shelf.namespace}.example.com"]
    assert [each["name"] for each in route["spec"]["parentRefs"]] == ["kserve-ingress-gateway"]
    assert route["metadata"]["ownerReferences"][0]["kind"] == "InferenceService"
    assert "labels" not in route["metadata"]


def test_a_cluster_local_service_leaves_the_route_of_its_name_alone(shelf: Shelf) -> None:
    before = _own_route(shelf, "kept")
    shelf.apply(Service("kept", labels={VISIBILITY: "cluster-local"}))
    shelf.until(lambda: shelf.is_ready("kept"), "ready")
    shelf.reconcile()
    assert shelf.objects.get(*ROUTES, shelf.namespace, "kept") == before


def test_without_the_gateway_api_no_route_is_made(shelf: Shelf, cluster: Cluster) -> None:
    shelf.apply(Service("routeless"))
    with cluster.api_client() as api_client:
        stand_in = KServeStandIn(api_client, shelf.namespace)
        other = Shelf(shelf.objects, stand_in, shelf.kubectl, shelf.namespace)
        other.until(lambda: other.is_ready("routeless"), "ready")
        stand_in.reconcile()
    assert shelf.objects.find(*ROUTES, shelf.namespace, "routeless") is None
