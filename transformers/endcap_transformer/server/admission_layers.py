"""Admission at the edges: predict calls over HTTP and gRPC need a place among the requests in work."""

import time
from collections.abc import Callable
from typing import Any

import grpc
from grpc_interceptor.server import AsyncServerInterceptor
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from endcap_transformer.resilience.admission import Admission, Overloaded
from endcap_transformer.server.error_answers import error_body
from endcap_transformer.server.http_layers import send_answer

OVERLOADED = "too many requests; try again later"
PREDICT_ENDINGS = (":predict", "/infer", ":explain")
MODEL_INFER = "/inference.GRPCInferenceService/ModelInfer"
ARRIVED = "arrived_s"
"""Key of an ASGI scope's state: when the request's first bytes were read, by the monotonic clock."""


class TimedHttp(HttpToolsProtocol):
    """uvicorn's HTTP/1.1, stamping when a request's first bytes were read: its wait for a turn of the loop counts too."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"][ARRIVED] = time.monotonic()


class HttpAdmission:
    """ASGI middleware: predict calls need a place, everything else (health, metrics, metadata) goes through.

    Args:
        app: what comes next.
        admission: decides.
    """

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app = app
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith(PREDICT_ENDINGS):
            await self._app(scope, receive, send)
            return
        try:
            async with self._admission.admitted("http", arrival(scope)):
                await self._app(scope, receive, send)
        except Overloaded:
            await send_overloaded(send, self._admission.retry_after_s)


class GrpcAdmission(AsyncServerInterceptor):
    """The same for gRPC: RESOURCE_EXHAUSTED, with the time to wait in the trailing metadata."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._trailing = (
            ("retry-after", str(admission.retry_after_s)),
            ("grpc-retry-pushback-ms", str(1000 * admission.retry_after_s)),
        )

    async def intercept(self, method: Callable[..., Any], request_or_iterator: Any, context: Any, method_name: str) -> Any:
        if method_name != MODEL_INFER:
            return await method(request_or_iterator, context)
        try:
            async with self._admission.admitted("grpc"):
                return await method(request_or_iterator, context)
        except Overloaded:
            return await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, OVERLOADED, self._trailing)


def arrival(scope: Scope) -> float | None:
    """When a request's first bytes were read, if its server stamps that."""
    arrived: float | None = scope.get("state", {}).get(ARRIVED)
    return arrived


async def send_overloaded(send: Send, retry_after_s: int) -> None:
    """Answer 429."""
    await send_answer(send, 429, error_body(OVERLOADED), ((b"retry-after", b"%d" % retry_after_s),))
