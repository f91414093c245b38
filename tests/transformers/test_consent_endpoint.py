"""Consent over the real processes: V1, V2 and gRPC say the same, and the event log holds what was allowed."""

import json
import os
import time
from typing import Any

import httpx
import polars as pl
import pytest

from endcap.events.log.reader import read_events
from endcap_transformer.telemetry.tracing import REQUEST_ID
from tests.transformers.test_endpoint import bytes_input, infer

USER, SESSION = "U-consent-77", '["I000500"]'
REFUSED = {"personalisation": False, "analytics": False}


def impressions(endpoint, request_id: str, timeout_s: float = 30) -> pl.DataFrame:
    """The logged list of a request, when it is written."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        found = read_events(endpoint.home / "events").filter(pl.col("request_id") == request_id).collect()
        if len(found):
            return found
        time.sleep(0.05)
    raise AssertionError(f"no impression of {request_id}")


def ask_v1(endpoint, consent: dict[str, bool], request_id: str) -> dict[str, Any]:
    return endpoint.predict({"user_id": USER, "session_id": SESSION, "consent": consent}, **{"x-request-id": request_id})[0]


def ask_v2(endpoint, consent: dict[str, bool], request_id: str) -> dict[str, Any]:
    values = {"user_id": USER, "session_id": SESSION, "consent": json.dumps(consent)}
    inputs = [{"name": name, "shape": [1], "datatype": "BYTES", "data": [value]} for name, value in values.items()]
    response = httpx.post(f"{endpoint.http}/v2/models/endcap/infer", json={"inputs": inputs, "id": request_id}, timeout=30).json()
    return json.loads(next(output for output in response["outputs"] if output["name"] == "answer")["data"][0])


def ask_grpc(endpoint, consent: dict[str, bool], request_id: str) -> dict[str, Any]:
    values = {"user_id": USER, "session_id": SESSION, "consent": json.dumps(consent)}
    response = infer(endpoint, [bytes_input(name, [value]) for name, value in values.items()], id=request_id)
    return json.loads(next(output for output in response.outputs if output.name == "answer").contents.bytes_contents[0])


@pytest.mark.parametrize("ask", [ask_v1, ask_v2, ask_grpc])
def test_what_a_request_refuses_holds_over_every_protocol(endpoint, ask) -> None:
    request_id = f"refused-{ask.__name__}"
    answer = ask(endpoint, REFUSED, request_id)
    assert (answer["personalised"], answer["request_id"]) == (False, request_id)
    assert not any(item["reason"].startswith("Goes with") for item in answer["recommendations"])
    logged = impressions(endpoint, request_id)
    assert logged.select("user_id", "consent", "consent_analytics").unique().row(0) == (None, False, False)
    assert SESSION not in logged["session_id"].to_list()


@pytest.mark.parametrize("ask", [ask_v1, ask_v2, ask_grpc])
def test_on_a_laptop_what_is_not_said_is_allowed(endpoint, ask) -> None:
    request_id = f"unsaid-{ask.__name__}"
    assert ask(endpoint, {}, request_id)["personalised"]
    logged = impressions(endpoint, request_id)
    assert logged.select("user_id", "session_id", "consent", "consent_analytics").unique().rows() == [(USER, SESSION, True, True)]


def test_without_analytics_no_line_and_no_span_names_user_or_session(endpoint) -> None:
    trace_id = os.urandom(16).hex()
    headers = {"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01", "x-request-id": "traced-refusal"}
    endpoint.predict({"user_id": USER, "session_id": "[broken", "consent": {"analytics": False}}, **headers)
    spans = endpoint.collector.trace(trace_id, lambda spans: any(span.name == "predict" for span in spans))
    assert any(REQUEST_ID.encode() in span.SerializeToString() for span in spans)
    texts = [span.SerializeToString() for span in spans] + [path.read_bytes() for path in endpoint.home.glob("logs/*.log")]
    assert not any(private in text for text in texts for private in (USER.encode(), b"[broken"))
