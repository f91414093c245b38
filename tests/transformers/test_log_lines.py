"""What real requests leave in the logs of the real processes: structured lines with their ids, and nothing about the person."""

import json
import os
import time
from itertools import product

import httpx
import pytest

from endcap.core.polling import poll
from tests.transformers.test_endpoint import bytes_input, infer

PRIVATE = {
    "user": "U-ann.example-4711",
    "session": "visit-8cf2-private",
    "item": "I-secret-pregnancy-test",
    "query": "lactose free milk near me",
    "email": "ann.b@mail.example",
    "brand": "PrivateBrandAnnLikes",
}
BAD_INSTANCES = [
    {"user_id": PRIVATE["user"], "k": PRIVATE["query"]},
    {"user_id": [PRIVATE["user"]]},
    {"user_id": PRIVATE["user"], "surface": PRIVATE["query"]},
    {"session_id": PRIVATE["session"], "filters": {"brands": PRIVATE["brand"]}},
    {"user_id": PRIVATE["user"], "context": {"time": PRIVATE["query"]}},
    {PRIVATE["email"]: PRIVATE["user"]},
    {"item_ids": PRIVATE["item"]},
    PRIVATE["query"],
]
GOOD_INSTANCES = [
    {"user_id": PRIVATE["user"], "session_id": PRIVATE["session"]},
    {"user_id": PRIVATE["email"], "surface": "cart", "item_ids": [PRIVATE["item"]], "exclude": [PRIVATE["item"]]},
    {"user_id": PRIVATE["user"], "context": {"page": f"/search?q={PRIVATE['query']}"}, "preferences": {"brands": [PRIVATE["brand"]]}},
]
BROKEN_SESSION = f"[not json {PRIVATE['session']}"
"""The online store of these tests fails on it, with an error that quotes it."""


@pytest.fixture(autouse=True, scope="module")
def whole_again(endpoint):
    """What breaks the store here opens its circuit: the next module gets an endpoint that answers whole."""
    yield
    endpoint.wait_until_warm()


@pytest.fixture
def lines(endpoint):
    """Lines of all parts written since, each a JSON object where the part is endcap's."""
    logs = endpoint.home / "logs"
    before = {path: path.stat().st_size for path in logs.glob("*.log")}

    def written() -> str:
        return "\n".join(path.read_bytes()[before.get(path, 0) :].decode() for path in logs.glob("*.log"))

    return written


def wait_for(text: str, written, timeout_s: float = 30) -> str:
    return poll(written, every_s=0.05, within_s=timeout_s, is_there=lambda lines: text in lines)


def test_no_line_shows_who_asked_or_for_what(endpoint, lines) -> None:
    url = f"{endpoint.http}/v1/models/endcap:predict"
    for instance in GOOD_INSTANCES:
        endpoint.predict(instance)
    for instance in BAD_INSTANCES:
        assert httpx.post(url, json={"instances": [instance]}, timeout=30).status_code == 400
    for body, method in product([PRIVATE["query"], f'{{"instances": "{PRIVATE["user"]}"', "[]"], ["POST", "PUT"]):
        assert httpx.request(method, f"{url}?q={PRIVATE['query']}", content=body, timeout=30).status_code >= 400
    endpoint.predict({"user_id": PRIVATE["user"], "session_id": BROKEN_SESSION})
    infer(endpoint, [bytes_input("user_id", [PRIVATE["user"]]), bytes_input("session_id", [PRIVATE["session"]])])
    with pytest.raises(Exception, match="INVALID_ARGUMENT"):
        infer(endpoint, [bytes_input("surface", [PRIVATE["query"]])])

    def after_another_fall_back() -> str:
        endpoint.predict({"user_id": PRIVATE["user"], "session_id": BROKEN_SESSION})
        return lines()

    # A stage that fell back is silent for a while: for another test's request this one's line may be left out.
    text = poll(after_another_fall_back, every_s=2, within_s=30, is_there=lambda text: "stage fell back" in text).lower()
    assert "stage fell back" in text
    assert [name for name, value in PRIVATE.items() if value.lower() in text] == []


def test_line_about_a_request_names_it_and_its_trace(endpoint, lines) -> None:
    trace_id = os.urandom(16).hex()
    headers = {"x-request-id": "order-18", "traceparent": f"00-{trace_id}-00f067aa0ba902b7-00"}
    for number in range(50):  # a stage that keeps failing is logged once in a while
        endpoint.predict({"session_id": f"{BROKEN_SESSION} {number}"}, **headers)
        if '"order-18"' in lines():
            break
        time.sleep(0.3)
    line = next(json.loads(each) for each in lines().splitlines() if "order-18" in each)
    assert line["request_id"] == "order-18"
    assert line["trace_id"] == trace_id
    assert line["level"] == "warning"
    assert line["event"] in ("stage fell back", "circuit changed")


def test_every_line_of_the_transformer_is_structured(endpoint) -> None:
    endpoint.predict({})
    log = (endpoint.home / "logs" / "transformer.log").read_text()
    assert log
    assert all({"event", "level", "timestamp", "part"} <= set(json.loads(line)) for line in log.splitlines())
