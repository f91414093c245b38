"""Nodes for the tests of this folder: three of them in a namespace of their own."""

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.nodes.cluster_nodes import START_S, Nodes


@pytest.fixture(scope="module")
def nodes_namespace(make_namespace: Callable[[str], str]) -> str:
    return make_namespace("nodes")


@pytest.fixture(scope="module")
def running_nodes(cluster: Cluster, nodes_namespace: str, operator_crds: None) -> Iterator[Nodes]:
    if cluster.own is None:
        pytest.skip("a cluster of KUBECONFIG has nodes of its own")
    with Nodes(cluster, nodes_namespace) as running:
        yield running


@pytest.fixture
def nodes(running_nodes: Nodes) -> Iterator[Nodes]:
    """With the usual start-up time before and after the test."""
    yield running_nodes
    running_nodes.start_s = START_S
