"""Spans of the model server, within the traces that its callers sample; it starts none itself."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any
from urllib.parse import unquote

import grpc

from endcap.core.settings import Settings
from endcap.core.tracer import Tracer, caller_decision

PREDICT = "/tensorflow.serving.PredictionService/Predict"


class TracePredict(grpc.ServerInterceptor):  # type: ignore[misc]
    """Makes a span of each Predict call whose caller samples its trace.

    Args:
        tracer: where spans go.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        if handler is None or handler_call_details.method != PREDICT:
            return handler
        metadata = {name: value for name, value in handler_call_details.invocation_metadata if isinstance(value, str)}
        decision = caller_decision(metadata.get("traceparent"))
        if decision is None or not decision[1]:
            return handler
        return grpc.unary_unary_rpc_method_handler(
            self._traced(handler.unary_unary, metadata), handler.request_deserializer, handler.response_serializer
        )

    def _traced(self, answer: Callable[[Any, Any], Any], metadata: dict[str, str]) -> Callable[[Any, Any], Any]:
        from opentelemetry.trace import SpanKind, StatusCode

        def predict(request: Any, context: Any) -> Any:
            attributes = {
                "endcap.request_id": unquote(metadata.get("x-request-id", "")),
                "endcap.signature": request.model_spec.signature_name,
                "endcap.version": request.model_spec.version.value,
                "rpc.system": "grpc",
            }
            span = self._tracer.start(PREDICT[1:], SpanKind.SERVER, self._tracer.from_caller(metadata), attributes)
            try:
                return answer(request, context)
            except BaseException:  # an aborted call too: gRPC raises a bare Exception for it
                span.set_status(StatusCode.ERROR)
                raise
            finally:
                span.end()

        return predict


def open_tracer(settings: Settings) -> Tracer | None:
    """The model server's tracer, or None when traces are off.

    Raises:
        InvalidInput: the endpoint is wrong.
    """
    endpoint = settings.telemetry.otlp_endpoint
    return Tracer.open(endpoint, "endcap-model-server", version("endcap")) if endpoint else None
