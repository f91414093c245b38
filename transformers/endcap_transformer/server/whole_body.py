"""ASGI layer: a request's body is there, whole and unpacked, before anything looks at it."""

from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from endcap.core.http.body import BrokenBody, read_body, unpacked
from endcap.core.http.refusals import RequestRefused
from endcap_transformer.server.admission_layers import arrival
from endcap_transformer.server.error_answers import error_body
from endcap_transformer.server.http_layers import send_answer

METHODS = ("POST", "PUT", "PATCH")
_REPLACED = (b"content-encoding", b"content-length")
_READ = {b"content-encoding": "content-encoding", b"content-length": "content-length", b"expect": "expect"}


class WholeBody:
    """Reads a request's body up to a limit and within a time, unpacks it, then passes the request on; what is refused nothing parses.

    Args:
        app: what comes next.
        max_bytes: the longest body that is let through, packed or not.
        seconds: the longest time a body may take to come.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in METHODS:
            await self._app(scope, receive, send)
            return
        with suppress(_SenderGone):  # nobody is left to answer
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {_READ[name]: value.decode("latin-1") for name, value in scope["headers"] if name in _READ}
        try:
            seconds = self._seconds if arrival(scope) is None else None
            packed = await read_body(_chunks(receive), headers, self._max_bytes, seconds)
            body = unpacked(packed, headers.get("content-encoding", ""), self._max_bytes)
        except RequestRefused as error:
            more = [(name.encode(), value.encode()) for name, value in error.headers.items()]
            await send_answer(send, error.status, error_body(error.message), more)
        except BrokenBody as error:
            await send_answer(send, 400, error_body(f"body: {error}"))
        else:
            await self._app(scope if body is packed else _plain(scope, body), _replayed(body, receive), send)


class _SenderGone(Exception):
    """The connection ended before the body was whole."""


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _SenderGone
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _plain(scope: Scope, body: bytes) -> Scope:
    """The request as if its body had come unpacked."""
    kept = [header for header in scope["headers"] if header[0] not in _REPLACED]
    return {**scope, "headers": [*kept, (b"content-length", b"%d" % len(body))]}


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
