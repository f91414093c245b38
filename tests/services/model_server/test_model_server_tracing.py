"""The model server's part of a trace, over real gRPC."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from opentelemetry.proto.trace.v1 import trace_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

from endcap.core.settings import Settings, TelemetrySettings
from endcap_model_server.tracing import TracePredict, open_tracer
from tests.otlp_collector import Collector, attributes, running_collector

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = (("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"), ("x-request-id", "order%2017"))
NOT_SAMPLED = (("traceparent", f"00-{TRACE}-00f067aa0ba902b7-00"),)


class Answers(prediction_service_pb2_grpc.PredictionServiceServicer):
    def Predict(self, request, context):  # noqa: N802
        if not request.model_spec.signature_name:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "which signature")
        return predict_pb2.PredictResponse(model_spec=request.model_spec)

    def GetModelMetadata(self, request, context):  # noqa: N802
        return get_model_metadata_pb2.GetModelMetadataResponse()


@pytest.fixture
def traced() -> Iterator[tuple]:
    """A stub of the traced service, and what ends the tracer and gives the collector."""
    with running_collector() as collector:
        tracer = open_tracer(Settings(telemetry=TelemetrySettings(otlp_endpoint=collector.endpoint, trace_share=1)))
        server = grpc.server(ThreadPoolExecutor(1), interceptors=(TracePredict(tracer),))
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Answers(), server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()

        def finished() -> Collector:
            server.stop(None).wait()
            tracer.close()
            return collector

        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield prediction_service_pb2_grpc.PredictionServiceStub(channel), finished
        server.stop(None)


def rank() -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.signature_name = "rank"
    request.model_spec.version.value = 7
    return request


def test_predict_of_a_sampled_trace_is_a_span_below_the_call(traced) -> None:
    stub, finished = traced
    assert stub.Predict(rank(), metadata=SAMPLED).model_spec.version.value == 7
    (span,) = finished().spans
    assert span.name == "tensorflow.serving.PredictionService/Predict"
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, "00f067aa0ba902b7")
    assert span.kind == trace_pb2.Span.SPAN_KIND_SERVER
    wanted = {"endcap.request_id": "order 17", "endcap.signature": "rank", "endcap.version": 7, "rpc.system": "grpc"}
    assert attributes(span) == wanted


@pytest.mark.parametrize("metadata", [(), NOT_SAMPLED])
def test_no_trace_starts_here(traced, metadata) -> None:
    stub, finished = traced
    stub.Predict(rank(), metadata=metadata)
    assert finished().spans == []


def test_other_calls_make_no_span(traced) -> None:
    stub, finished = traced
    stub.GetModelMetadata(get_model_metadata_pb2.GetModelMetadataRequest(), metadata=SAMPLED)
    assert finished().spans == []


def test_refused_call_is_marked(traced) -> None:
    stub, finished = traced
    with pytest.raises(grpc.RpcError, match="which signature"):
        stub.Predict(predict_pb2.PredictRequest(), metadata=SAMPLED)
    assert finished().spans[0].status.code == trace_pb2.Status.STATUS_CODE_ERROR


def test_without_an_endpoint_there_is_no_tracer() -> None:
    assert open_tracer(Settings()) is None
