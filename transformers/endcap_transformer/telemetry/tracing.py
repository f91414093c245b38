"""Traces of requests: a span for the request, for each stage and for each call to another part, all with the request id.

Whether a request is traced is decided once, at its start: as its caller decided, else by chance. A request that is not traced makes no
span: it shares one object whose methods do nothing. Spans carry the request's id, surface and bundle, and nothing about the person.
"""

import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar, Token
from importlib.metadata import version
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

from endcap.core.settings import Settings
from endcap.core.tracer import Metadata, Tracer, caller_decision

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanKind

REQUEST_ID = "endcap.request_id"
PREFIX = "endcap."
SERVER_ERROR = 500


class Untraced:
    """A request that is not traced.

    Args:
        trace_id: the caller's, when it has one.
        metadata: passes the caller's decision on.
    """

    __slots__ = ("_metadata", "trace_id")
    is_sampled = False

    def __init__(self, trace_id: str = "", metadata: Metadata = ()) -> None:
        self.trace_id = trace_id
        self._metadata = metadata

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        pass

    def stage(self, name: str) -> Self:  # noqa: ARG002
        return self

    def call(self, service: str, method: str, address: str) -> Self:  # noqa: ARG002
        return self

    def describe(self, **attributes: str | int) -> None:
        pass

    def fell_back(self, stage: str, cause: str) -> None:
        pass

    def grpc_metadata(self) -> Metadata:
        return self._metadata


class Traced:
    """One open span of a request, and a context manager that ends it.

    Args:
        tracer: makes the spans.
        request_id: stands in every span.
        span: already started.
    """

    __slots__ = ("_before", "_context", "_request_id", "_span", "_tracer", "trace_id")
    is_sampled = True

    def __init__(self, tracer: Tracer, request_id: str, span: "Span") -> None:
        self._tracer = tracer
        self._request_id = request_id
        self._span = span
        self._context = tracer.within(span)
        self._before: Token[Untraced | Traced] | None = None
        self.trace_id = f"{span.get_span_context().trace_id:032x}"

    def __enter__(self) -> Self:
        self._before = _CURRENT.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            self._fail(kind)
        self._span.end()
        if self._before is not None:
            _CURRENT.reset(self._before)

    def stage(self, name: str) -> "Traced":
        """A span of a stage below this one, open from now on; current while it is entered."""
        from opentelemetry.trace import SpanKind

        return self._child(name, SpanKind.INTERNAL, {})

    def call(self, service: str, method: str, address: str) -> "Traced":
        """A span of a gRPC call to another part: give the call `grpc_metadata()` of it.

        Args:
            service: full name of the gRPC service.
            method: its method.
            address: HOST:PORT of the other part.
        """
        from opentelemetry.trace import SpanKind

        host, _, port = address.rpartition(":")
        attributes: dict[str, str | int] = {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
        attributes |= {"server.address": host, "server.port": int(port)}
        return self._child(f"{service}/{method}", SpanKind.CLIENT, attributes)

    def describe(self, **attributes: str | int) -> None:
        """Say something about the request on this span; nothing about the person."""
        for name, value in attributes.items():
            self._span.set_attribute(PREFIX + name, value)

    def fell_back(self, stage: str, cause: str) -> None:
        """Note on this span that a stage fell back; `cause` is one of the metrics' causes."""
        self._span.add_event("fallback", {PREFIX + "stage": stage, PREFIX + "cause": cause})

    def grpc_metadata(self) -> Metadata:
        """`traceparent`, `tracestate` and the request's id."""
        return (*self._tracer.to_callee(self._context), ("x-request-id", quote(self._request_id, safe=" ~!@#$&*()+=:,./?-_")))

    def _child(self, name: str, kind: "SpanKind", attributes: Mapping[str, str | int]) -> "Traced":
        span = self._tracer.start(name, kind, self._context, {REQUEST_ID: self._request_id, **attributes})
        return Traced(self._tracer, self._request_id, span)

    def _fail(self, kind: type[BaseException]) -> None:
        from opentelemetry.trace import StatusCode

        self._span.set_attribute("error.type", kind.__name__)  # the message may quote what a person sent
        if getattr(kind, "http_status", SERVER_ERROR) >= SERVER_ERROR:
            self._span.set_status(StatusCode.ERROR)


Trace = Untraced | Traced
UNTRACED = Untraced()
_CALLER_HEADERS = frozenset({b"traceparent", b"tracestate"})
_CURRENT: ContextVar[Trace] = ContextVar("endcap_trace", default=UNTRACED)


def current_trace() -> Trace:
    """The innermost open span of the request in work; in a thread of a pool there is none, so ask before handing work to one."""
    return _CURRENT.get()


def caller_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """What `Tracing.request` reads of an ASGI request's headers."""
    return {name.decode(): value.decode("latin-1") for name, value in headers if name in _CALLER_HEADERS}


class Tracing:
    """Starts the traces of one process.

    Args:
        tracer: where spans go; None traces nothing.
        share: share of requests to trace among those whose caller did not decide.
        draw: uniform numbers in [0, 1).
    """

    def __init__(self, tracer: Tracer | None, share: float = 0.0, draw: Callable[[], float] = random.random) -> None:
        self._tracer = tracer
        self._share = share
        self._draw = draw

    @classmethod
    def from_settings(cls, settings: Settings, part: str) -> Self:
        """Traces as `settings.telemetry` says.

        Raises:
            InvalidInput: the endpoint is wrong.
        """
        endpoint = settings.telemetry.otlp_endpoint
        tracer = Tracer.open(endpoint, f"endcap-{part}", version("endcap")) if endpoint else None
        return cls(tracer, settings.telemetry.trace_share)

    def request(self, headers: Mapping[str, str] | None, request_id: str, surface: str = "") -> AbstractContextManager[Trace]:
        """The trace of a request, current while it is entered.

        Args:
            headers: of HTTP, or the metadata of gRPC; names in lower case.
            request_id: the request's.
            surface: of its first list.
        """
        traceparent = headers.get("traceparent") if headers else None
        decision = caller_decision(traceparent)
        if decision is None:
            if self._tracer is None or self._draw() >= self._share:
                return UNTRACED
            return self._start(self._tracer, None, request_id, surface)
        trace_id, sampled = decision
        if self._tracer is None or not sampled:
            return _Entered(Untraced(trace_id, (("traceparent", traceparent or ""),)))
        return self._start(self._tracer, headers, request_id, surface)

    def close(self) -> None:
        """Send what is left."""
        if self._tracer is not None:
            self._tracer.close()

    def _start(self, tracer: Tracer, headers: Mapping[str, str] | None, request_id: str, surface: str) -> Traced:
        from opentelemetry.trace import SpanKind

        parent = tracer.from_caller(headers) if headers is not None else None
        span = tracer.start("predict", SpanKind.SERVER, parent, {REQUEST_ID: request_id, PREFIX + "surface": surface})
        return Traced(tracer, request_id, span)


class _Entered:
    """Makes an untraced request with a caller's trace id the current one."""

    __slots__ = ("_before", "_trace")

    def __init__(self, trace: Untraced) -> None:
        self._trace = trace
        self._before: Token[Trace] | None = None

    def __enter__(self) -> Untraced:
        self._before = _CURRENT.set(self._trace)
        return self._trace

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            _CURRENT.reset(self._before)
