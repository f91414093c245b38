"""One bound pod from its start to its end, and its status meanwhile, as a kubelet writes it."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.cluster.nodes.container_states import condition, moment, running, terminated, waiting
from tests.cluster.nodes.node_api import Document, NodeApi
from tests.cluster.nodes.pod_server import PodServer, draining_of
from tests.cluster.nodes.probing import follow_readiness
from tests.cluster.nodes.termination import terminate

TRANSFORMER = "transformer-container"
SERVICE_LABEL = "serving.kserve.io/inferenceservice"
GONE = (404, 409)
"""The pod is gone, or another has its name."""
PASSING = (429, 500, 503)
"""The API server starts up or shuts down."""
RETRY_S = 0.5


@dataclass(frozen=True)
class Addresses:
    """IP addresses of a pod and of its node."""

    pod: str
    host: str


class PodLifecycle:
    """Runs a pod in an event loop.

    Containers start at once: no images are pulled. The serving one is `transformer-container`, else the first; the others are ready when it
    is. The pod's answers carry the name of its InferenceService.

    Args:
        pod: bound to a node.
        start_s: from the container's start until its server is ready.
        answer_s: how long an answer takes.
    """

    def __init__(self, api: NodeApi, pod: Document, addresses: Addresses, *, start_s: float, answer_s: float) -> None:
        self._api = api
        self._pod = pod
        self.addresses = addresses
        containers = pod["spec"]["containers"]
        self._serving = next((each for each in containers if each["name"] == TRANSFORMER), containers[0])
        serves = pod["metadata"].get("labels", {}).get(SERVICE_LABEL, pod["metadata"]["name"])
        self.server = PodServer(serves, draining_of(self._serving), start_s=start_s, answer_s=answer_s)
        self._conditions: dict[str, Document] = {}
        self._since = datetime.now(UTC)
        self._deleted: asyncio.Future[Document] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Return when the pod is gone."""
        await self._create()
        await self.server.start()
        self._since = datetime.now(UTC)
        probing: asyncio.Future[None] = asyncio.ensure_future(self._probe())
        try:
            await asyncio.wait((probing, self._deleted), return_when=asyncio.FIRST_COMPLETED)
            if probing.done():
                probing.result()
            codes = await terminate(self._deleted.result(), self._serving, self.server)
        finally:
            self.server.kill()
            probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await probing
        await self._end(codes)

    def delete(self, pod: Document) -> None:
        """The pod has a deletion time now."""
        if not self._deleted.done():
            self._deleted.set_result(pod)

    async def _create(self) -> None:
        own = self.addresses
        addresses = {"podIP": own.pod, "podIPs": [{"ip": own.pod}], "hostIP": own.host, "hostIPs": [{"ip": own.host}]}
        creating = [waiting(each, "ContainerCreating") for each in self._pod["spec"]["containers"]]
        status = {"phase": "Pending", "startTime": moment(self._since), **addresses, "containerStatuses": creating}
        await self._write(status, Initialized=True, PodReadyToStartContainers=True)

    async def _probe(self) -> None:
        await self._set_ready(False)
        await follow_readiness(self._serving, self.server, self._set_ready)

    async def _set_ready(self, ready: bool) -> None:
        states = [running(each, self._since, ready) for each in self._pod["spec"]["containers"]]
        await self._write({"phase": "Running", "containerStatuses": states}, ContainersReady=ready, Ready=ready)

    async def _end(self, codes: dict[str, int]) -> None:
        now = datetime.now(UTC)
        states = [terminated(each, self._since, now, codes[each["name"]]) for each in self._pod["spec"]["containers"]]
        phase = "Failed" if any(codes.values()) else "Succeeded"
        await self._write(
            {"phase": phase, "containerStatuses": states}, ContainersReady=False, Ready=False, PodReadyToStartContainers=False
        )
        await self._patiently(self._api.delete_pod, self._pod)

    async def _write(self, status: Document, **conditions: bool) -> None:
        now = datetime.now(UTC)
        for name, holds in conditions.items():
            if self._conditions.get(name, {}).get("status") != str(holds):
                reason = "" if holds or name not in ("ContainersReady", "Ready") else "ContainersNotReady"
                self._conditions[name] = condition(name, holds, now, reason)
        await self._patiently(self._api.write_status, self._pod, {**status, "conditions": list(self._conditions.values())})

    async def _patiently(self, request: Callable[..., None], *arguments: Document) -> None:
        """Make a request, again while the API server is away."""
        from kubernetes.client.rest import ApiException
        from urllib3.exceptions import HTTPError

        while True:
            with contextlib.suppress(HTTPError):
                try:
                    return await asyncio.to_thread(request, *arguments)
                except ApiException as refused:
                    if refused.status in GONE:
                        return None
                    if refused.status not in PASSING:
                        raise
            await asyncio.sleep(RETRY_S)
