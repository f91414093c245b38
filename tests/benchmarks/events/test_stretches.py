import json
from datetime import UTC, datetime

import pytest

from endcap_benchmarks.events.stretches import EventStretches

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def stretches() -> EventStretches:
    return EventStretches(8090, ["I1", "I2", "I3"], "fixed", lambda: NOW)


def test_an_open_loop_has_a_body_for_each_moment() -> None:
    plan = stretches().open_loop(1_000, 2, events_a_body=100)
    assert plan.send_at_s == pytest.approx([0.1 * place for place in range(20)])
    assert [body.count(b"\n") + 1 for body in plan.bodies] == [100] * 20
    assert plan.media_type == "application/x-ndjson"


def test_single_events_are_json_and_of_the_time_before_they_are_sent() -> None:
    plan = stretches().closed_loop(30, 2, clients=4)
    moments = [json.loads(body)["occurred_at"] for body in plan.bodies]
    assert plan.media_type == "application/json" and plan.clients == 4 and plan.send_at_s is None
    assert "2026-03-01T07:59:58" <= min(moments) <= max(moments) < "2026-03-01T08:00:00"


def test_two_stretches_share_neither_events_nor_sessions() -> None:
    source = stretches()
    first, second = ([json.loads(body) for body in source.open_loop(50, 1).bodies] for _ in range(2))
    for name in ("event_id", "session_id"):
        assert not {event[name] for event in first} & {event[name] for event in second}
