import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from endcap_client.builders import page_view, purchase
from endcap_client.errors import InvalidSetting
from endcap_client.event import Event, event_text

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


def test_an_event_without_id_and_time_gets_both() -> None:
    text, event_id = event_text(page_view("s-1"), UUID(int=7), NOW)
    assert json.loads(text) == {"event_id": event_id, "event_type": "page_view", "occurred_at": "2026-03-01T08:00:00Z", "session_id": "s-1"}
    assert event_id == str(UUID(int=7))


def test_an_event_keeps_its_own_id_and_time() -> None:
    at = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=1)))
    text, event_id = event_text(page_view("s-1", event_id=UUID(int=1), occurred_at=at), UUID(int=7), NOW + timedelta(hours=2))
    assert (json.loads(text)["occurred_at"], event_id) == ("2026-03-01T08:00:00Z", str(UUID(int=1)))


def test_what_is_none_is_left_out() -> None:
    text, _ = event_text(purchase("s-1", "tea", 2, None, user_id=None), UUID(int=7), NOW)
    assert json.loads(text).keys() & {"order_id", "user_id"} == set()


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (page_view("s-1", occurred_at=datetime(2026, 3, 1, 8)), r"occurred_at: is no moment with a zone; got .*; give datetime.now"),  # noqa: DTZ001
        (Event("custom", {"properties": {"at": object()}}), "custom: is no JSON"),
        (Event("rating", {"rating": float("nan")}), "rating: is no JSON"),
    ],
)
def test_what_cannot_be_sent_is_refused_where_it_is_built(event: Event, message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        event_text(event, UUID(int=7), NOW)
