import json
from collections.abc import Callable

import httpx
import pytest

from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.events.sending import BATCH_EVENTS, Sent, send_events

Handler = Callable[[httpx.Request], httpx.Response]


def sent_to(handler: Handler, count: int = 3, slept: list[float] | None = None) -> Sent:
    client = httpx.Client(base_url="http://collector", transport=httpx.MockTransport(handler))
    return send_events(
        (json.dumps({"n": number}) for number in range(count)), client, "the-key", (slept if slept is not None else []).append
    )


def test_events_go_in_batches_and_places_are_those_of_the_file() -> None:
    def taken(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer the-key"
        events = request.content.split(b"\n")
        return httpx.Response(200, json={"accepted": len(events) - 1, "duplicates": 0, "refused": [{"index": 0, "reason": "odd"}]})

    sent = sent_to(taken, 2 * BATCH_EVENTS + 1)
    assert sent.accepted == 2 * BATCH_EVENTS - 2
    assert [refused["index"] for refused in sent.refused] == [0, BATCH_EVENTS, 2 * BATCH_EVENTS]


def test_a_collector_that_asks_for_patience_is_asked_again() -> None:
    answers = [
        httpx.Response(429, headers={"retry-after": "3"}),
        httpx.Response(503),
        httpx.Response(200, json={"accepted": 3, "duplicates": 0, "refused": []}),
    ]
    slept: list[float] = []
    assert sent_to(lambda _: answers.pop(0), slept=slept).accepted == 3
    assert slept == [3.0, 1.0]


def test_patience_has_an_end() -> None:
    with pytest.raises(DependencyUnavailable, match="again and again"):
        sent_to(lambda _: httpx.Response(503, headers={"retry-after": "9999"}))


def test_a_key_that_is_refused_is_said() -> None:
    with pytest.raises(InvalidInput, match="no key that holds"):
        sent_to(lambda _: httpx.Response(401, json={"error": "no key that holds"}))


def test_what_is_no_collector_is_said() -> None:
    with pytest.raises(DependencyUnavailable, match="no collector"):
        sent_to(lambda _: httpx.Response(200, text="<html>"))


def test_batches_of_which_nothing_is_taken_do_not_end_the_file() -> None:
    nothing = {"accepted": 0, "duplicates": 0, "refused": [{"index": 0, "reason": "odd"}]}
    assert len(sent_to(lambda _: httpx.Response(400, json=nothing), BATCH_EVENTS + 1).refused) == 2
