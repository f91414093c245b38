"""A namespace a module, with the stand-in at hand and its webhooks asked."""

from collections.abc import Callable, Iterator

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.kserve.settings import KServeSettings
from tests.cluster.kserve.shelf import Shelf, runtime
from tests.cluster.kserve.webhooks import Webhooks
from tests.cluster.kserve_standin import KServeStandIn
from tests.cluster.rest import Objects


@pytest.fixture(scope="module")
def shelf(cluster: Cluster, kubectl: Command, operator_crds: None, make_namespace: Callable[[str], str]) -> Iterator[Shelf]:
    """KServe with the Gateway API; without webhooks unless `webhooks` is used, too."""
    namespace = make_namespace("shelf")
    with cluster.api_client() as api_client, cluster.api_client() as own:
        objects = Objects(own, "tests")
        stand_in = KServeStandIn(api_client, namespace, settings=KServeSettings(enable_gateway_api=True))
        shelf = Shelf(objects, stand_in, kubectl, namespace)
        shelf.apply_runtime(runtime())
        yield shelf


@pytest.fixture(scope="module")
def webhooks(cluster: Cluster, shelf: Shelf) -> Iterator[None]:
    """The webhooks are asked in the shelf's namespace; Knative has none of its features on."""
    if cluster.own is None:
        pytest.skip("the API server of KUBECONFIG does not reach webhooks on loopback of the tests")
    with cluster.api_client() as api_client:
        asked = Webhooks(api_client, shelf.namespace, KServeSettings(knative_features=frozenset()), shelf.stand_in.reconcile_and_settle)
        try:
            asked.start()
            yield
        finally:
            asked.stop()
