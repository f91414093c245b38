"""Traces as a collector receives them, over real gRPC."""

import asyncio
from collections.abc import Iterator

import pytest
from opentelemetry.proto.trace.v1 import trace_pb2

from endcap.core.errors import InvalidInput
from endcap.core.settings import Settings, TelemetrySettings
from endcap_transformer.telemetry.tracing import UNTRACED, Tracing, caller_headers, current_trace
from tests.otlp_collector import Collector, attributes, running_collector

CALLER = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "tracestate": "shop=1"}
PREDICT = ("tensorflow.serving.PredictionService", "Predict", "127.0.0.1:8500")


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running_collector() as collector:
        yield collector


def tracing(endpoint: str, share: float) -> Tracing:
    return Tracing.from_settings(Settings(telemetry=TelemetrySettings(otlp_endpoint=endpoint, trace_share=share)), "transformer")


def test_spans_of_a_request_form_one_tree_below_the_caller(collector) -> None:
    traced = tracing(collector.endpoint, share=0)
    with traced.request(CALLER, "order-17", "home") as trace:
        trace.describe(bundle="endcap-1")
        with current_trace().stage("rank"), current_trace().call(*PREDICT):
            pass
        trace.fell_back("features", "late")
    traced.close()
    spans = {span.name: span for span in collector.spans}
    assert set(spans) == {"predict", "rank", "tensorflow.serving.PredictionService/Predict"}
    assert {span.trace_id.hex() for span in collector.spans} == {trace.trace_id} == {"4bf92f3577b34da6a3ce929d0e0e4736"}
    assert spans["predict"].parent_span_id.hex() == "00f067aa0ba902b7"
    assert spans["rank"].parent_span_id == spans["predict"].span_id
    assert spans["tensorflow.serving.PredictionService/Predict"].parent_span_id == spans["rank"].span_id
    assert {attributes(span)["endcap.request_id"] for span in collector.spans} == {"order-17"}
    assert attributes(spans["predict"])["endcap.surface"] == "home"
    assert attributes(spans["predict"])["endcap.bundle"] == "endcap-1"
    assert [event.name for event in spans["predict"].events] == ["fallback"]
    assert set(collector.services.values()) == {"endcap-transformer"}


def test_a_callee_gets_the_span_of_its_call_and_the_request_id(collector) -> None:
    traced = tracing(collector.endpoint, share=0)
    with traced.request(CALLER, "größe 1", "home") as trace, trace.call(*PREDICT) as call:
        metadata = dict(call.grpc_metadata())
    traced.close()
    assert metadata["traceparent"].startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    assert metadata["traceparent"] != trace.grpc_metadata()[0][1]
    assert metadata["tracestate"] == "shop=1"
    assert metadata["x-request-id"] == "gr%C3%B6%C3%9Fe 1"


def test_a_failure_is_told_by_its_kind_and_not_by_its_words(collector) -> None:
    traced = tracing(collector.endpoint, share=1)
    with pytest.raises(ValueError, match="U-secret"), traced.request({}, "r", "home"):
        raise ValueError("no such user U-secret")
    traced.close()
    assert collector.spans[0].status.code == trace_pb2.Status.STATUS_CODE_ERROR
    assert attributes(collector.spans[0])["error.type"] == "ValueError"
    assert b"U-secret" not in collector.spans[0].SerializeToString()


def test_a_refused_request_is_no_error_of_the_server(collector: Collector) -> None:
    traced = tracing(collector.endpoint, share=1)
    with pytest.raises(InvalidInput), traced.request({}, "r", "home"):
        raise InvalidInput("unknown surface")
    traced.close()
    assert collector.spans[0].status.code == trace_pb2.Status.STATUS_CODE_UNSET
    assert attributes(collector.spans[0])["error.type"] == "InvalidInput"


def test_headers_of_asgi_give_what_decides() -> None:
    raw = [(b"host", b"x"), *((name.encode(), value.encode()) for name, value in CALLER.items())]
    assert caller_headers(raw) == CALLER


@pytest.mark.parametrize(("headers", "share", "sampled"), [({}, 1, True), ({}, 0, False), (CALLER, 0, True)])
def test_the_caller_decides_before_chance(collector, headers: dict, share: float, sampled: bool) -> None:
    traced = tracing(collector.endpoint, share)
    with traced.request(headers, "r") as trace:
        assert trace.is_sampled is sampled
    traced.close()


def test_a_caller_that_does_not_sample_is_followed_and_its_decision_handed_on(collector) -> None:
    traced = tracing(collector.endpoint, share=1)
    unsampled = CALLER["traceparent"][:-1] + "0"
    with traced.request({"traceparent": unsampled}, "r") as trace:
        assert not trace.is_sampled
        assert current_trace().grpc_metadata() == (("traceparent", unsampled),)
        assert trace.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"
    traced.close()
    assert current_trace() is UNTRACED


def test_share_of_requests_is_drawn() -> None:
    draws = iter([0.009, 0.5, 0.01])
    untraced = Tracing(None, 0.01, lambda: next(draws))
    assert [untraced.request({}, "r").__enter__() for _ in range(3)] == [UNTRACED] * 3
    assert next(draws) == 0.009  # without a tracer nothing is drawn


async def test_requests_at_the_same_time_keep_to_their_own_traces(collector) -> None:
    traced = tracing(collector.endpoint, share=1)

    async def request(number: int) -> None:
        with traced.request({}, f"r{number}"):
            for stage in ("features", "rank"):
                with current_trace().stage(stage):
                    await asyncio.sleep(0)

    await asyncio.gather(*(request(number) for number in range(8)))
    await asyncio.to_thread(traced.close)
    ids = {span.trace_id: attributes(span)["endcap.request_id"] for span in collector.spans if span.name == "predict"}
    assert len(ids) == 8
    assert all(attributes(span)["endcap.request_id"] == ids[span.trace_id] for span in collector.spans)
    assert len(collector.spans) == 24


def test_a_collector_that_is_away_costs_the_request_nothing() -> None:
    traced = tracing("http://127.0.0.1:9", share=1)
    with traced.request({}, "r") as trace, trace.stage("rank"):
        pass
    assert current_trace() is UNTRACED


def test_an_untraced_request_makes_no_object_of_its_own(collector) -> None:
    traced = tracing(collector.endpoint, share=0)
    with traced.request({}, "a") as first, traced.request({}, "b") as second:
        assert first is second is first.stage("rank").__enter__() is UNTRACED
    traced.close()
