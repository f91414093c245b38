"""An upgrade of the model server rolls the pods once, however Helm orders its writes."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster.chart import CHART, RELEASE, documents, values_of
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.kserve_standin import SERVICE_LABEL, KServeStandIn
from tests.cluster.rest import Objects
from tests.waiting import until

PREDICTOR = f"{RELEASE}-predictor"
SEEN_BY_KSERVE = ("ConfigMap", "ServiceAccount", "InferenceService", "ServingRuntime")


@pytest.fixture
def objects(cluster: Cluster, operator_crds: None) -> Iterator[Objects]:
    with cluster.api_client() as api_client:
        yield Objects(api_client, "helm")


@pytest.fixture
def kserve_by_hand(cluster: Cluster, operator_crds: None, namespace: str) -> Iterator[KServeStandIn]:
    """KServe, which looks only when the test says so: a fast controller between any two writes."""
    with cluster.api_client() as api_client:
        yield KServeStandIn(api_client, namespace)


def _apply(helm: Command, objects: Objects, kserve: KServeStandIn, namespace: str, *values: str) -> None:
    """In Helm's order, KServe looking after each write: kinds that Helm does not know come by their names, InferenceService first."""
    arguments = ("--namespace", namespace, "--values", values_of("minimal"), "--set", "serving.replicas.min=1", *values)
    rendered = documents(helm("template", RELEASE, CHART, *arguments))
    kinds = [each["kind"] for each in rendered]
    assert kinds.index("InferenceService") < kinds.index("ServingRuntime")
    for each in _of_serving(rendered):
        objects.apply({**each, "metadata": {**each["metadata"], "namespace": namespace}})
        kserve.reconcile()


def _of_serving(rendered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in rendered if each["kind"] in SEEN_BY_KSERVE]


def _replica_sets(objects: Objects, namespace: str) -> set[str]:
    """Those that the Deployment has made, once its controller has seen its newest spec."""

    def observed() -> dict[str, Any] | None:
        found = [each for each in objects.list_all("apps/v1", "Deployment", namespace) if each["metadata"]["name"] == PREDICTOR]
        is_seen = found and found[0].get("status", {}).get("observedGeneration") == found[0]["metadata"]["generation"]
        return found[0] if is_seen else None

    until(observed, "the Deployment's controller has looked at it")
    own = objects.list_all("apps/v1", "ReplicaSet", namespace)
    return {each["metadata"]["name"] for each in own if each["metadata"]["labels"].get(SERVICE_LABEL) == RELEASE}


@pytest.mark.parametrize(
    "change",
    ["serving.modelServer.extraArgs={--tensorflow_session_parallelism=2}", "serving.modelServer.image.tag=2.99.0"],
    ids=["arguments", "image"],
)
def test_an_upgrade_of_the_runtime_makes_one_new_replica_set(
    helm: Command, objects: Objects, kserve_by_hand: KServeStandIn, namespace: str, change: str
) -> None:
    _apply(helm, objects, kserve_by_hand, namespace)
    before = _replica_sets(objects, namespace)
    assert len(before) == 1
    _apply(helm, objects, kserve_by_hand, namespace, "--set", change)
    assert len(_replica_sets(objects, namespace) - before) == 1


def test_an_upgrade_that_changes_no_pod_makes_no_replica_set(
    helm: Command, objects: Objects, kserve_by_hand: KServeStandIn, namespace: str
) -> None:
    _apply(helm, objects, kserve_by_hand, namespace)
    before = _replica_sets(objects, namespace)
    _apply(helm, objects, kserve_by_hand, namespace, "--set", "serving.replicas.max=7")
    assert _replica_sets(objects, namespace) == before


def test_the_first_install_heals_when_the_runtime_comes(
    helm: Command, objects: Objects, kserve_by_hand: KServeStandIn, namespace: str
) -> None:
    arguments = ("--namespace", namespace, "--values", values_of("minimal"))
    for each in _of_serving(documents(helm("template", RELEASE, CHART, *arguments))):
        if each["kind"] == "ServingRuntime":
            kserve_by_hand.reconcile()
            assert not objects.list_all("apps/v1", "Deployment", namespace)
        objects.apply({**each, "metadata": {**each["metadata"], "namespace": namespace}})
    kserve_by_hand.reconcile()
    assert [each["metadata"]["name"] for each in objects.list_all("apps/v1", "Deployment", namespace)] == [PREDICTOR]
