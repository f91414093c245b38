"""An OpenTelemetry collector in the test's own process."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps the spans that come in over OTLP."""

    def __init__(self) -> None:
        self.endpoint = ""
        self.spans: list[trace_pb2.Span] = []
        self.services: dict[bytes, str] = {}
        self._more = Condition()

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
        with self._more:
            for each in request.resource_spans:
                service = next(item.value.string_value for item in each.resource.attributes if item.key == "service.name")
                for scope in each.scope_spans:
                    self.spans += scope.spans
                    self.services |= dict.fromkeys((span.span_id for span in scope.spans), service)
            self._more.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def trace(self, trace_id: str, enough: Callable[[list[trace_pb2.Span]], bool], timeout_s: float = 30) -> list[trace_pb2.Span]:
        """The spans of one trace, once there are enough; parts send theirs in their own time."""

        def found() -> list[trace_pb2.Span]:
            return [span for span in self.spans if span.trace_id.hex() == trace_id]

        with self._more:
            self._more.wait_for(lambda: enough(found()), timeout_s)
            return found()


def attributes(span: trace_pb2.Span) -> dict[str, str | int]:
    return {item.key: item.value.string_value or item.value.int_value for item in span.attributes}


@contextmanager
def running_collector() -> Iterator[Collector]:
    server = grpc.server(ThreadPoolExecutor(1))
    collector = Collector()
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    collector.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(None).wait()
