"""How an answer is sent, and the ASGI layer that answers /metrics."""

import asyncio
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from starlette.types import ASGIApp, Receive, Scope, Send

JSON_MEDIA = b"application/json"

Header = tuple[bytes, bytes]


async def send_answer(send: Send, status: int, body: bytes, more: Sequence[Header] = (), media: bytes = JSON_MEDIA) -> None:
    """Send an answer and its length.

    Args:
        send: where it goes.
        status: of HTTP.
        body: all of it.
        more: further headers.
        media: what the body is.
    """
    headers = [(b"content-type", media), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


PATH = "/metrics"
SAMPLES_AT_ONCE = 40
"""About a millisecond's work."""


class MetricsPage:
    """Answers /metrics in pieces of a few milliseconds, and passes everything else on.

    KServe's own page is written in one go: 25 ms in which the event loop stands still, at every scrape.

    Args:
        app: what comes next.
        registry: what is exposed.
    """

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._registry = registry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        page = await metrics_text(self._registry)
        await send_answer(send, 200, page, media=CONTENT_TYPE_PLAIN_0_0_4.encode())


async def metrics_text(registry: CollectorRegistry) -> bytes:
    """All metrics in Prometheus's text format; other tasks run in between."""
    parts: list[bytes] = []
    waiting: list[Metric] = []
    for family in registry.collect():
        waiting.append(family)
        if sum(len(each.samples) for each in waiting) >= SAMPLES_AT_ONCE:
            parts.append(generate_latest(_Collected(waiting)))
            waiting = []
            await asyncio.sleep(0)
    return b"".join([*parts, generate_latest(_Collected(waiting))])


class _Collected(CollectorRegistry):
    """Families that have been collected already, as the writer wants them."""

    def __init__(self, families: Iterable[Metric]) -> None:
        super().__init__()
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families
