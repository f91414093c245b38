"""One request of the real processes as one trace: the transformer's stages, the model server's part, the search."""

import os

import httpx
import pytest
from opentelemetry.proto.trace.v1 import trace_pb2

from tests.otlp_collector import attributes

PREDICT = "tensorflow.serving.PredictionService/Predict"
SEARCH = "milvus.proto.milvus.MilvusService/Search"
STAGES = {"parse", "features", "query", "eligibility", "retrieval", "rank", "rules", "slate", "respond"}
MODEL_SERVER = "endcap-model-server"


def is_whole(spans: list[trace_pb2.Span]) -> bool:
    """The request's own span ends last."""
    return any(span.name == "predict" for span in spans)


@pytest.fixture
def traced(endpoint):
    """Sends a request whose caller samples it; gives its spans once there are enough."""

    def ask(instance: dict, enough=is_whole) -> list[trace_pb2.Span]:
        trace_id = os.urandom(16).hex()
        headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01", "x-request-id": f"order-{trace_id[:6]}"}
        answer = endpoint.predict(instance, **headers)[0]
        assert answer["request_id"] == headers["x-request-id"]
        spans = endpoint.collector.trace(trace_id, enough)
        assert {attributes(span)["endcap.request_id"] for span in spans} == {headers["x-request-id"]}
        return spans

    return ask


def test_one_request_is_one_trace_over_all_parts(endpoint, traced) -> None:
    part_of = endpoint.collector.services

    def computed(spans: list[trace_pb2.Span]) -> list[trace_pb2.Span]:
        return sorted((span for span in spans if part_of[span.span_id] == MODEL_SERVER), key=lambda span: span.start_time_unix_nano)

    spans = traced({"user_id": "U11"}, lambda spans: is_whole(spans) and len(computed(spans)) == 2)
    assert {*STAGES, "predict", PREDICT, SEARCH} <= {span.name for span in spans}
    by_id = {span.span_id: span for span in spans}
    (root,) = [span for span in spans if span.parent_span_id not in by_id]
    assert (root.name, root.parent_span_id.hex()) == ("predict", "00f067aa0ba902b7")
    assert attributes(root)["endcap.surface"] == "home"
    assert attributes(root)["endcap.bundle"] == "endcap-1"
    assert [attributes(span)["endcap.signature"] for span in computed(spans)] == ["encode_query", "rank"]
    calls = [by_id[span.parent_span_id] for span in computed(spans)]
    assert {call.kind for call in calls} == {trace_pb2.Span.SPAN_KIND_CLIENT}
    assert [by_id[call.parent_span_id].name for call in calls] == ["query", "rank"]


def test_no_span_says_who_asked_or_for_what(traced) -> None:
    instance = {"user_id": "U12", "session_id": '["I000500"]', "surface": "cart", "item_ids": ["I000041"], "context": {"page": "/s?q=milk"}}
    spans = traced(instance)
    said = b"".join(span.SerializeToString() for span in spans)
    for private in (b"U12", b"I000500", b"I000041", b"milk"):
        assert private not in said


def test_request_that_nobody_samples_makes_no_span(endpoint) -> None:
    endpoint.predict({"user_id": "U13"}, **{"x-request-id": "quiet-1"})
    unsampled = {"traceparent": f"00-{os.urandom(16).hex()}-00f067aa0ba902b7-00", "x-request-id": "quiet-2"}
    endpoint.predict({"user_id": "U13"}, **unsampled)
    marker = os.urandom(16).hex()
    endpoint.predict({"user_id": "U14"}, traceparent=f"00-{marker}-00f067aa0ba902b7-01")
    assert endpoint.collector.trace(marker, is_whole)
    assert not {"quiet-1", "quiet-2"} & {attributes(span)["endcap.request_id"] for span in endpoint.collector.spans}


def test_v2_is_traced_too(endpoint) -> None:
    trace_id = os.urandom(16).hex()
    inputs = [{"name": "user_id", "shape": [2], "datatype": "BYTES", "data": ["U15", "U16"]}]
    headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    response = httpx.post(f"{endpoint.http}/v2/models/endcap/infer", json={"inputs": inputs}, headers=headers, timeout=30)
    assert response.status_code == 200
    spans = endpoint.collector.trace(trace_id, is_whole)
    lists = [span for span in spans if span.name == "list"]
    assert len(lists) == 2
    assert {attributes(span)["endcap.surface"] for span in lists} == {"home"}
