"""The server in a pod: starts, is ready and drains as the transformer does (`endcap_transformer.server.draining`), on loopback."""

import asyncio
import time
from dataclasses import dataclass

from tests.cluster.nodes.http_exchange import LOOPBACK, answer, read_path
from tests.cluster.nodes.node_api import Document

READY_PATH, LIVE_PATH = "/v2/health/ready", "/v2/health/live"
SLOW_PATH = "/slow/"
"""`/slow/SECONDS` is answered after so many seconds."""
UNREADY = "ENDCAP_RESILIENCE__UNREADY_SECONDS"
DRAIN = "ENDCAP_RESILIENCE__DRAIN_SECONDS"


@dataclass(frozen=True)
class Draining:
    """What the server does at SIGTERM.

    Attributes:
        unready_s: from SIGTERM, when it says that it is not ready, until it takes no new connections.
        drain_s: how long requests in flight may take after that.
    """

    unready_s: float = 0.0
    drain_s: float = 0.0


def draining_of(container: Document) -> Draining:
    """By the variables that the transformer reads; a container without them ends at once."""
    values = {each["name"]: each.get("value", "0") for each in container.get("env") or ()}
    return Draining(float(values.get(UNREADY, 0)), float(values.get(DRAIN, 0)))


class PodServer:
    """Listens from `start` to the end of `terminate` or to `kill`; every path but the probes' is answered with what it serves.

    Args:
        serves: text of its answers.
        start_s: from `start` until it is ready.
        answer_s: how long an answer takes.
    """

    def __init__(self, serves: str, draining: Draining, *, start_s: float, answer_s: float) -> None:
        self._serves = serves
        self._draining = draining
        self._start_s = start_s
        self._answer_s = answer_s
        self._started_at = 0.0
        self._is_terminating = False
        self._has_its_neighbours = True
        self._server: asyncio.Server | None = None
        self._in_flight: set[asyncio.StreamWriter] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def port(self) -> int | None:
        """None while there is no listener."""
        return None if self._server is None else int(self._server.sockets[0].getsockname()[1])

    @property
    def is_ready(self) -> bool:
        return not self._is_terminating and time.monotonic() - self._started_at >= self._start_s

    @property
    def in_flight(self) -> int:
        """Requests that are being answered."""
        return len(self._in_flight)

    async def start(self) -> None:
        self._started_at = time.monotonic()
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)

    async def terminate(self) -> None:
        """SIGTERM; return when the process ends."""
        self._is_terminating = True
        await asyncio.sleep(self._draining.unready_s)
        self._close_listener()
        try:
            async with asyncio.timeout(self._draining.drain_s):
                await self._idle.wait()
        except TimeoutError:
            self.kill()

    def lose_neighbour(self) -> None:
        """Another container of the pod, which the server works with, has ended: its answers say `degraded` from now on."""
        self._has_its_neighbours = False

    def kill(self) -> None:
        """SIGKILL: the kernel resets every connection."""
        self._is_terminating = True
        self._close_listener()
        for writer in list(self._in_flight):
            writer.transport.abort()

    def _close_listener(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._in_flight.add(writer)
        self._idle.clear()
        try:
            path = await read_path(reader)
            if path is not None:
                await answer(writer, *await self._answer(path))
        finally:
            self._in_flight.discard(writer)
            if not self._in_flight:
                self._idle.set()
            writer.close()

    async def _answer(self, path: str) -> tuple[int, str]:
        if path == LIVE_PATH:
            return 200, "live"
        if path == READY_PATH:
            return (200, "ready") if self.is_ready else (503, "not ready")
        if time.monotonic() - self._started_at < self._start_s:
            return 503, "starting"
        await asyncio.sleep(float(path.removeprefix(SLOW_PATH)) if path.startswith(SLOW_PATH) else self._answer_s)
        return 200, self._serves if self._has_its_neighbours else f"{self._serves} degraded"
