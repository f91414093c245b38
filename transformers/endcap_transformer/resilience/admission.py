"""Overload: what cannot be answered in time is turned away at once, before anything is read of it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import grpc
from grpc_interceptor.server import AsyncServerInterceptor
from starlette.types import ASGIApp, Receive, Scope, Send

from endcap.core.settings import ResilienceSettings
from endcap_transformer.resilience.concurrency_limit import ConcurrencyLimit
from endcap_transformer.server.asgi_answer import send_answer
from endcap_transformer.server.error_answers import error_body
from endcap_transformer.telemetry.metrics import ServingMetrics

WAITED_SHARE_OF_BUDGET = 0.4
"""A request that waited for so much of its budget before it was looked at leaves too little for its answer."""
OVERLOADED = "too many requests; try again later"
PREDICT_ENDINGS = (":predict", "/infer", ":explain")
MODEL_INFER = "/inference.GRPCInferenceService/ModelInfer"
ARRIVED = "arrived_s"
"""Key of an ASGI scope's state: when the request's first bytes were read, by the monotonic clock."""


class Lag(Protocol):
    """What says whether the event loop keeps up."""

    def persists(self, now: float) -> bool:
        """Whether it has not for a while."""


class Overloaded(Exception):
    """This request is not answered now."""


class Ticket:
    """One admitted request; `counts` is False for those whose time says nothing, such as many lists at once."""

    __slots__ = ("arrived", "counts", "in_flight", "started")

    def __init__(self, arrived: float, started: float, in_flight: int) -> None:
        self.arrived = arrived
        self.started = started
        self.in_flight = in_flight
        self.counts = True


class Admission:
    """Decides for HTTP and gRPC alike which requests are worked on.

    When hundreds of requests come in with one turn of the loop, each is decided when its own turn comes: the first few are admitted,
    for the rest the limit is reached, and they cost as little as their refusal.

    Args:
        settings: bounds.
        budget_ms: what a request may take.
        metrics: where requests in work and turned away are counted.
        lag: says whether the event loop keeps up.
        clock: seconds that never go back, the same that stamps arrivals.
    """

    def __init__(
        self,
        settings: ResilienceSettings,
        budget_ms: float,
        metrics: ServingMetrics,
        lag: Lag,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self.retry_after_s = settings.retry_after_seconds
        self.in_flight = 0
        self._limit = ConcurrencyLimit(settings.in_flight_max, budget_ms)
        self._waited_max_s = WAITED_SHARE_OF_BUDGET * budget_ms / 1000
        self._lag = lag
        self._shed = {protocol: metrics.shed.labels(protocol).inc for protocol in ("http", "grpc")}
        metrics.in_flight.set_function(lambda: self.in_flight)
        metrics.concurrency_limit.set_function(lambda: int(self._limit.limit))

    @contextmanager
    def admitted(self, protocol: str, arrived: float | None = None) -> Iterator[Ticket]:
        """Hold one of the places while the body runs.

        Args:
            protocol: http or grpc.
            arrived: when the request came, by the clock; now when it is not known.

        Raises:
            Overloaded: there is no place, or the request has waited for too long already.
        """
        now = self.clock()
        came = now if arrived is None else arrived
        if self.in_flight >= int(self._limit.limit) or (now - came > self._waited_max_s and self._lag.persists(now)):
            self._shed[protocol]()
            raise Overloaded
        self.in_flight += 1
        ticket = Ticket(came, now, self.in_flight)
        try:
            yield ticket
        finally:
            self.in_flight -= 1
            if ticket.counts:
                ended = self.clock()
                self._limit.observe(ended, ticket.started, ended - ticket.arrived, ticket.in_flight)


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
            with self._admission.admitted("http", arrival(scope)):
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
            with self._admission.admitted("grpc"):
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
