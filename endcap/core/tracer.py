"""OpenTelemetry spans to a collector over OTLP, and W3C Trace Context in and out. Without an endpoint none of it is imported."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from endcap.core.errors import InvalidInput

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span, SpanKind

ENDPOINT_SETTING = "ENDCAP_TELEMETRY__OTLP_ENDPOINT"
FLUSH_MS = 2_000
"""How long the last spans may take to leave when a process ends."""

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?")

Metadata = tuple[tuple[str, str], ...]
"""gRPC metadata: names in lower case, values in ASCII."""


def caller_decision(traceparent: str | None) -> tuple[str, bool] | None:
    """The trace id that a caller gave, and whether it samples the trace; None when it gave none, or one that does not hold to the standard.

    W3C Trace Context, https://www.w3.org/TR/trace-context/.
    """
    found = _TRACEPARENT.fullmatch(traceparent) if traceparent else None
    if found is None or (found[3] and traceparent is not None and traceparent.startswith("00")):
        return None
    return found[1], bool(int(found[2], 16) & 1)


class Tracer:
    """Makes spans; a span that has ended goes to the collector in the background, and is lost when none answers.

    Args:
        provider: with its exporter.
    """

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.context import Context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("endcap")
        self._propagator = TraceContextTextMapPropagator()
        self._nowhere = Context()

    @classmethod
    def open(cls, endpoint: str, service: str, version: str) -> Self:
        """A tracer that exports to an OpenTelemetry collector.

        Batches and time-outs follow OpenTelemetry's own environment variables, OTEL_BSP_* and OTEL_EXPORTER_OTLP_*.

        Args:
            endpoint: http://HOST:PORT, or https://HOST:PORT for TLS.
            service: the part's name in traces, for example endcap-transformer.
            version: of this part.

        Raises:
            InvalidInput: the endpoint is no such URL, or OpenTelemetry's packages are not installed.
        """
        parts = urlsplit(endpoint)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise InvalidInput("must be http://HOST:PORT or https://HOST:PORT", field=ENDPOINT_SETTING, value=endpoint)
        try:
            from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
        except ImportError as error:
            raise InvalidInput(
                f"{error.name} is not installed", field=ENDPOINT_SETTING, value=endpoint, fix="install endcap[transformer]"
            ) from error
        resource = Resource.create({"service.name": service, "service.version": version, "service.namespace": "endcap"})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
        return cls(provider)

    def start(self, name: str, kind: "SpanKind", parent: "Context | None", attributes: Mapping[str, str | int]) -> "Span":
        """Start a span; whether a request is traced at all was decided before.

        Args:
            name: what is done.
            kind: its side of a call.
            parent: from `within` or `from_caller`; None starts a trace.
            attributes: nothing personal.
        """
        return self._tracer.start_span(name, context=parent or self._nowhere, kind=kind, attributes=attributes)

    def within(self, span: "Span") -> "Context":
        """The context for children of a span."""
        from opentelemetry.trace import set_span_in_context

        return set_span_in_context(span, self._nowhere)

    def from_caller(self, headers: Mapping[str, str]) -> "Context":
        """The context that a caller gave in `traceparent` and `tracestate`; names in lower case."""
        return self._propagator.extract(headers, context=self._nowhere)

    def to_callee(self, context: "Context") -> Metadata:
        """gRPC metadata that carries a context on."""
        carrier: dict[str, str] = {}
        self._propagator.inject(carrier, context=context)
        return tuple(carrier.items())

    def close(self) -> None:
        """Send what is left; takes 2 seconds at most."""
        self._provider.force_flush(FLUSH_MS)
        self._provider.shutdown()
