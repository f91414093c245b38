import gzip
import json
from datetime import UTC, datetime

import pytest

from endcap_client.exchange import Answered, Later, Outcome, RefusedEvent, TooLong, body_of, outcome_of

LINES = ['{"event_id":"a"}', '{"event_id":"b"}']
TAKEN = {"accepted": 1, "duplicates": 0, "refused": [{"index": 1, "kind": "field_refused", "field": "item_id", "reason": "missing"}]}
REFUSED = tuple(RefusedEvent(json.loads(line), "request", None, "no key that holds") for line in LINES)


def test_each_line_says_when_it_was_sent() -> None:
    body = gzip.decompress(body_of(LINES, datetime(2026, 3, 1, 8, tzinfo=UTC))).decode()
    assert [json.loads(line) for line in body.splitlines()] == [
        {"event_id": "a", "sent_at": "2026-03-01T08:00:00Z"},
        {"event_id": "b", "sent_at": "2026-03-01T08:00:00Z"},
    ]


@pytest.mark.parametrize(
    ("status", "document", "outcome"),
    [
        (200, {"accepted": 2, "duplicates": 0, "refused": []}, Answered(2, 0, ())),
        (200, TAKEN, Answered(1, 0, (RefusedEvent({"event_id": "b"}, "field_refused", "item_id", "missing"),))),
        (400, TAKEN | {"accepted": 0}, Answered(0, 0, (RefusedEvent({"event_id": "b"}, "field_refused", "item_id", "missing"),))),
        (401, {"error": "no key that holds"}, Answered(0, 0, REFUSED)),
        (413, {"error": "at most 1 event"}, TooLong()),
        (408, {"error": "did not come"}, Later(0.0)),
        (429, {"error": "more than 1 event a second"}, Later(8.0)),
        (503, {"error": "too many requests"}, Later(8.0)),
        (502, None, Later(8.0)),
        (200, ["a page that asks to log in"], Later(8.0)),
    ],
)
def test_an_answer_says_what_comes_next(status: int, document: object, outcome: Outcome) -> None:
    body = b"<html>" if document is None else json.dumps(document).encode()
    after = "8" if isinstance(outcome, Later) and outcome.after_s else None
    assert outcome_of(status, after, body, LINES) == outcome


@pytest.mark.parametrize("header", [None, "", "Wed, 21 Oct 2026 07:28:00 GMT", "-3"])
def test_a_retry_after_that_is_no_number_leaves_the_pause_to_the_client(header: str | None) -> None:
    assert outcome_of(503, header, b"", LINES) == Later(0.0)


def test_a_single_event_that_is_too_long_is_refused() -> None:
    outcome = outcome_of(413, None, json.dumps({"error": "at most 1048576 bytes"}).encode(), LINES[:1])
    assert outcome == Answered(0, 0, (RefusedEvent({"event_id": "a"}, "request", None, "at most 1048576 bytes"),))
