"""ASGI layers in front of KServe's application: the longest body, and /metrics; and how an answer is sent."""

import asyncio
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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


class BodyLimit:
    """Reads a request's body up to a limit, then passes it on; a longer one is refused before anything parses it, announced or not.

    Args:
        app: what comes next.
        max_bytes: the longest body that is let through.
    """

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("POST", "PUT", "PATCH"):
            await self._app(scope, receive, send)
            return
        body = None if self._announced(scope) > self._max_bytes else await self._read(receive)
        if body is None:
            response = JSONResponse(
                {"error": f"body: must be at most {self._max_bytes} bytes"}, status_code=413, headers={"connection": "close"}
            )
            await response(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), send)

    def _announced(self, scope: Scope) -> int:
        value = dict(scope["headers"]).get(b"content-length", b"0")
        return int(value) if value.isdigit() else 0

    async def _read(self, receive: Receive) -> bytes | None:
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > self._max_bytes:
                return None
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


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
