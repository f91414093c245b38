"""Node after node is drained while a candidate is rolled out, and no request fails."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from endcap.contracts.rollout import ENDED, Phase
from tests.cluster.command import Command
from tests.cluster.nodes.cluster_nodes import START_S, Nodes
from tests.cluster.nodes.gateway import Gateway
from tests.cluster.nodes.steady_load import LoadReport, SteadyLoad
from tests.cluster.rollouts.drained_target import NAME, REPLICAS, SELECTOR, make_drained_target
from tests.cluster.rollouts.scene import Scene
from tests.cluster.rollouts.targets import storage_uri
from tests.waiting import until

SLOW_START_S = 16.0
"""Ready at the fifth startup probe, after 20 s; the operator once rolled a candidate back whose `Ready` was False for 15 s."""
SERVICE = f"{NAME}-predictor"


@pytest.fixture(scope="module")
def nodes(scene: Scene) -> Iterator[Nodes]:
    if scene.cluster.own is None:
        pytest.skip("a cluster of KUBECONFIG has nodes of its own")
    with pytest.MonkeyPatch.context() as patch, Nodes(scene.cluster, scene.namespace, selector=SELECTOR) as running:
        patch.setattr(scene.kserve, "runs_pods", False)  # the nodes run them
        yield running


@pytest.fixture
def requests(scene: Scene, nodes: Nodes, helm: Command, kubectl: Command) -> Iterator[LoadReport]:
    """50 requests a second to a target with ready pods, until the end of the test."""
    make_drained_target(scene, helm, kubectl)
    with ExitStack() as stack:
        gateway = Gateway(scene.cluster, scene.namespace, NAME, loop=nodes.loop, port_of=nodes.port_of)
        stack.enter_context(gateway)
        until(lambda: len(gateway.endpoints(SERVICE)) == REPLICAS, "the gateway's endpoints")
        yield stack.enter_context(SteadyLoad(nodes.loop, gateway.port)).report


def _node_of_candidate(kubectl: Command, namespace: str) -> str:
    """A node that has a pod of the candidate."""
    label = f"serving.kserve.io/inferenceservice={NAME}-candidate"
    return kubectl("get", "pods", "--namespace", namespace, "-l", label, "-o", "jsonpath={.items[0].spec.nodeName}")


def test_a_rollout_ends_promoted_while_node_after_node_is_drained(
    scene: Scene, nodes: Nodes, requests: LoadReport, kubectl: Command
) -> None:
    version = scene.version()
    scene.serve(version)
    rollout = scene.start(NAME, version, weights=(50, 100))
    scene.until_at_step(rollout, 0)
    first = _node_of_candidate(kubectl, scene.namespace)
    order = sorted(nodes.names, key=lambda name: name != first)
    for node, start_s in zip(order, (SLOW_START_S, START_S, START_S), strict=True):
        assert scene.status(rollout).phase not in ENDED, scene.status(rollout).message
        nodes.start_s = start_s
        kubectl("drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=90s")
        kubectl("uncordon", node)
    status = scene.until_ended(rollout, 90)
    assert (status.phase, status.reason) == (Phase.SUCCEEDED, "Promoted"), status.message
    assert scene.served(NAME) == storage_uri(version)
    assert requests.failed == {}
    assert set(requests.answered) == {NAME, f"{NAME}-candidate"}
    assert requests.answered.total() > 1_000
