"""Helm beside a rollout that holds the target's replicas: neither refuses the other, and neither undoes it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from endcap.contracts.rollout import RolloutBundle, RolloutSpec, Step
from endcap.release.rollout.api_server import INFERENCE_SERVICES, ROLLOUTS, ApiServer
from endcap.release.rollout.client import rollout_document
from endcap.release.rollout.resource import parse_rollout
from endcap_rollout_operator.kserve.traffic import Traffic, look_at
from tests.cluster.chart import CHART, RELEASE, values_of
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command

HELD = 5
VALUES = ("--values", values_of("minimal"), "--set", "serving.replicas.min=3", "--set", "serving.replicas.max=24", "--no-hooks")
"""No hooks: what they run would wait for a node."""
SPEC = RolloutSpec(
    target=RELEASE,
    bundle=RolloutBundle(version=20261201090000, storage_uri="pvc://endcap-bundles/20261201090000", collection="endcap_20261201090000"),
    steps=[Step(set_weight=50)],
)


@pytest.fixture
def server(cluster: Cluster, namespace: str, operator_crds: None, definition: None, helm: Command) -> Iterator[ApiServer]:
    """Of a namespace with a release that values give three replicas, and no operator."""
    with cluster.api_client() as api_client:
        helm("install", RELEASE, CHART, "--namespace", namespace, *VALUES)
        yield ApiServer(api_client, namespace)
        helm("uninstall", RELEASE, "--namespace", namespace, "--no-hooks")


def upgrade(helm: Command, namespace: str, *more: str) -> None:
    helm("upgrade", RELEASE, CHART, "--namespace", namespace, *VALUES, "--set", "commonLabels.team=search", *more)


def replicas(server: ApiServer) -> tuple[int, int]:
    document = server.get(INFERENCE_SERVICES, RELEASE)
    assert document is not None
    predictor: dict[str, Any] = document["spec"]["predictor"]
    return predictor["minReplicas"], predictor["maxReplicas"]


def traffic(server: ApiServer) -> Traffic:
    document = server.get(ROLLOUTS, RELEASE)
    assert document is not None
    return look_at(server, parse_rollout(document))


def write_status(kubectl: Command, namespace: str, **status: Any) -> None:
    patch = json.dumps({"status": status})
    kubectl("patch", "ecro", RELEASE, "-n", namespace, "--subresource=status", "--type=merge", "-p", patch)


def test_an_upgrade_keeps_held_replicas_and_after_the_rollout_the_values_count(
    server: ApiServer, helm: Command, kubectl: Command, namespace: str
) -> None:
    server.create(ROLLOUTS, rollout_document(RELEASE, SPEC))
    write_status(kubectl, namespace, phase="Progressing", heldReplicas=HELD, stableReplicas=3)
    traffic(server).hold_replicas(HELD)
    upgrade(helm, namespace)
    assert replicas(server) == (HELD, 24)
    upgrade(helm, namespace, "--set", "serving.replicas.min=4", "--set", "serving.replicas.max=4")
    assert replicas(server) == (HELD, HELD), "no fewer at most than at least, which KServe refuses"
    traffic(server).release_replicas(3)
    assert replicas(server)[0] == 3
    write_status(kubectl, namespace, phase="Succeeded")
    upgrade(helm, namespace, "--set", "serving.replicas.min=4")
    assert replicas(server) == (4, 24)


def test_an_upgrade_is_not_touched_by_a_rollout_that_holds_nothing_or_another_target(
    server: ApiServer, helm: Command, kubectl: Command, namespace: str
) -> None:
    server.create(ROLLOUTS, rollout_document(RELEASE, SPEC))
    write_status(kubectl, namespace, phase="Progressing")
    other = rollout_document("another", RolloutSpec.model_validate(SPEC.model_dump() | {"target": "another"}))
    server.create(ROLLOUTS, other)
    kubectl("patch", "ecro", "another", "-n", namespace, "--subresource=status", "--type=merge", "-p", '{"status": {"heldReplicas": 9}}')
    upgrade(helm, namespace, "--set", "serving.replicas.min=4")
    assert replicas(server) == (4, 24)
