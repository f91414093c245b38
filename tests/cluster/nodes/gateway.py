"""A gateway on loopback that follows an HTTPRoute and the EndpointSlices of its Services."""

import asyncio
import contextlib
import random
from collections.abc import Callable
from types import TracebackType
from typing import Self

from tests.cluster.cluster import Cluster
from tests.cluster.nodes.background_loop import BackgroundLoop
from tests.cluster.nodes.http_exchange import LOOPBACK, ExchangeFailed, answer, get, read_path
from tests.cluster.nodes.node_api import Document
from tests.cluster.nodes.object_watch import ObjectWatch
from tests.cluster.nodes.route_backends import RouteBackends

TIMEOUT_S = 10.0
DELAY_S = 0.3
NO_ENDPOINT = "no endpoint"


class Gateway:
    """Passes each request on once, without retries, on a new connection to a pod; what fails is answered 502 or 503 with the kind as text.

    Args:
        cluster: its own connections are made for the watches.
        namespace: of the route and its Services.
        route: name of the HTTPRoute.
        rule: name of its rule; matches are not looked at.
        loop: runs it.
        port_of: port of loopback by the pod's address, None where none listens.
        delay_s: from a change in the API server's watch until the gateway goes by it: a controller configures its proxies first.
        seed: of the draws.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        route: str,
        *,
        loop: BackgroundLoop,
        port_of: Callable[[str], int | None],
        rule: str = "traffic",
        delay_s: float = DELAY_S,
        seed: int = 0,
    ) -> None:
        self._loop = loop
        self._port_of = port_of
        self._route = route
        self._delay_s = delay_s
        self._backends = RouteBackends(rule, random.Random(seed))
        routes = f"/apis/gateway.networking.k8s.io/v1/namespaces/{namespace}/httproutes"
        slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
        self._watches = [
            ObjectWatch(cluster, routes, lambda *change: loop.call(self._later, self._route_changed, *change)),
            ObjectWatch(cluster, slices, lambda *change: loop.call(self._later, self._backends.change_slice, *change)),
        ]
        self._server: asyncio.Server | None = None

    def __enter__(self) -> Self:
        self._loop.run(self._listen())
        for watch in self._watches:
            watch.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for watch in self._watches:
            watch.stop()
        if self._server is not None:
            self._loop.call(self._server.close)

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    def endpoints(self, service: str) -> list[str]:
        """Addresses of the pods to which requests for a Service go now."""
        return self._backends.endpoints(service)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)

    def _later(self, change: Callable[[str, Document], None], kind: str, found: Document) -> None:
        asyncio.get_running_loop().call_later(self._delay_s, change, kind, found)

    def _route_changed(self, kind: str, route: Document) -> None:
        if route["metadata"]["name"] == self._route and kind != "DELETED":
            self._backends.change_route(route)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            path = await read_path(reader)
            if path is not None:
                await answer(writer, *await self._passed_on(path))
        finally:
            with contextlib.suppress(ConnectionError):
                writer.close()

    async def _passed_on(self, path: str) -> tuple[int, str]:
        pod = self._backends.choose()
        if pod is None:
            return 503, NO_ENDPOINT
        port = self._port_of(pod)
        if port is None:
            return 502, "refused"
        try:
            passed = await get(port, path, TIMEOUT_S)
        except ExchangeFailed as failed:
            return 502, failed.kind
        return passed.status, passed.body
