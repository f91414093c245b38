"""Startup and readiness of the serving container, by its own probes.

https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/ says: nothing else is probed before the startup probe
succeeds; readiness is probed at once then, and for the pod's whole life, its termination included. Left out: `initialDelaySeconds`,
liveness, and the restart after a startup probe has failed `failureThreshold` times; gRPC and exec probes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from tests.cluster.nodes.http_exchange import ExchangeFailed, get
from tests.cluster.nodes.node_api import Document
from tests.cluster.nodes.pod_server import PodServer

PERIOD_S = 10.0
TIMEOUT_S = 1.0
FAILURES = 3
READY = Callable[[bool], Coroutine[Any, Any, None]]


async def follow_readiness(container: Document, server: PodServer, changed: READY) -> None:
    """Tell each change of the container's readiness; never returns.

    Raises:
        ValueError: a probe is of a kind that is not known here.
    """
    startup: Document = container.get("startupProbe", {})
    async for succeeded in _results(startup, server):
        if succeeded:
            break
    readiness: Document = container.get("readinessProbe", {})
    is_ready, failures = False, 0
    async for succeeded in _results(readiness, server):
        failures = 0 if succeeded else failures + 1
        wanted = succeeded or (is_ready and failures < readiness.get("failureThreshold", FAILURES))
        if wanted != is_ready:
            is_ready = wanted
            await changed(is_ready)


async def _results(probe: Document, server: PodServer) -> AsyncIterator[bool]:
    """Results of a probe, one a period; a container without the probe passes."""
    while True:
        yield not probe or await _succeeds(probe, server)
        await asyncio.sleep(probe.get("periodSeconds", PERIOD_S))


async def _succeeds(probe: Document, server: PodServer) -> bool:
    if "tcpSocket" in probe:
        return server.is_ready
    if "httpGet" not in probe:
        raise ValueError(f"a probe has {sorted(probe)}: only httpGet and tcpSocket are known to the kubelet's stand-in")
    if server.port is None:
        return False
    try:
        answered = await get(server.port, probe["httpGet"]["path"], probe.get("timeoutSeconds", TIMEOUT_S))
    except ExchangeFailed:
        return False
    return 200 <= answered.status < 400
