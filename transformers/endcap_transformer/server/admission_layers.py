"""Admission at the edges: predict calls over HTTP and gRPC need a place among the requests in work."""

import time
from collections.abc import Callable
from typing import Any

import grpc
from grpc_interceptor.server import AsyncServerInterceptor
from starlette.types import ASGIApp, Receive, Scope, Send

from endcap.core.http.deadlined_http import DeadlinedHttp
from endcap_transformer.resilience.admission import Admission, Overloaded
from endcap_transformer.server.error_answers import error_body
from endcap_transformer.server.http_layers import send_answer

OVERLOADED = "too many requests; try again later"
PREDICT_ENDINGS = (":predict", "/infer", ":explain")
MODEL_INFER = "/inference.GRPCInferenceService/ModelInfer"
ARRIVED = "arrived_s"
"""Key of an ASGI scope's state: when the request's last byte was read, by the monotonic clock."""


class TimedHttp(DeadlinedHttp):
    """HTTP/1.1 that stamps when a request was whole: its wait for a turn of the loop counts, its sender's slowness does not."""

    def on_message_complete(self) -> None:
        super().on_message_complete()
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
    """When a request's last byte was read, if its server stamps that; the body has to be read first."""
    arrived: float | None = scope.get("state", {}).get(ARRIVED)
    return arrived


async def send_overloaded(send: Send, retry_after_s: int) -> None:
    """Answer 429."""
    await send_answer(send, 429, error_body(OVERLOADED), ((b"retry-after", b"%d" % retry_after_s),))
