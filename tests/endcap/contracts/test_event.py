from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from endcap.contracts.event import TAKES_OFF, TYPE_RULES, Event, EventType

PURCHASE: dict[str, Any] = {
    "event_id": "5d2c4b8e-6a0e-5d0c-9b53-0c6a7c1a2017",
    "event_type": "purchase",
    "occurred_at": "2026-03-01T08:00:00Z",
    "received_at": "2026-03-01T08:00:01Z",
    "session_id": "s",
    "item_id": "A1",
    "quantity": 1,
    "unit_price": 2,
    "currency": "EUR",
}


def test_a_purchase_is_taken_with_the_contracts_defaults() -> None:
    event = Event.model_validate(PURCHASE)
    assert (event.schema_version, event.consent, event.user_id) == (1, True, None)
    assert event.occurred_at == datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"occurred_at": "2026-03-01T08:00:00"}, "the time has no zone"),
        ({"occurred_at": "2026-03-01T08:00:00+01:00"}, "the time is not in UTC"),
        ({"event_type": "buy"}, "event_type"),
        ({"colour": "red"}, "Extra inputs are not permitted"),
        ({"schema_version": 2}, "schema_version"),
        ({"event_id": "17"}, "event_id"),
        ({"session_id": ""}, "session_id"),
        ({"item_id": None}, "item_id is missing; a purchase event needs it"),
        ({"event_type": "return", "item_id": None}, "item_id or order_id is missing; a return event needs one of them"),
        ({"event_type": "cancellation", "item_id": None}, "item_id or order_id is missing"),
        ({"event_type": "rating"}, "rating is missing; a rating event needs it"),
        ({"event_type": "rating", "rating": float("inf")}, "finite"),
        ({"event_type": "rating", "rating": 4, "item_id": None}, "item_id is missing"),
        ({"event_type": "return", "quantity": -1}, "greater than 0"),
        ({"quantity": None}, "quantity is missing; a purchase event needs it"),
        ({"quantity": 0}, "greater than 0"),
        ({"unit_price": float("nan")}, "finite"),
        ({"currency": None}, "currency is missing"),
        ({"currency": "eur"}, "currency"),
        ({"position": 0}, "position"),
        ({"propensity": 0}, "propensity"),
        ({"propensity": 1.1}, "propensity"),
        ({"variant": "v" * 65}, "variant"),
        ({"consent": None}, "consent"),
    ],
)
def test_what_the_contract_does_not_allow_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Event.model_validate({**PURCHASE, **changes})


@pytest.mark.parametrize("event_type", EventType)
def test_types_ask_for_what_they_need(event_type: EventType) -> None:
    bare = {name: PURCHASE[name] for name in ("event_id", "occurred_at", "received_at", "session_id")} | {"event_type": event_type}
    if TYPE_RULES[event_type].needs or event_type in TAKES_OFF:
        with pytest.raises(ValidationError, match="is missing"):
            Event.model_validate(bare)
    else:
        assert Event.model_validate(bare).event_type is event_type


@pytest.mark.parametrize(
    "named",
    [{"item_id": "A1"}, {"order_id": "5001"}, {"item_id": "A1", "order_id": "5001", "quantity": 2}, {"item_id": "A1", "quantity": None}],
)
@pytest.mark.parametrize("event_type", ["return", "cancellation"])
def test_a_return_names_an_item_an_order_or_both(event_type: str, named: dict[str, Any]) -> None:
    base = {name: value for name, value in PURCHASE.items() if name not in ("item_id", "unit_price", "currency", "quantity")}
    assert Event.model_validate({**base, "event_type": event_type, **named}).event_type == event_type


def test_a_rating_is_kept_as_it_was_given() -> None:
    assert Event.model_validate({**PURCHASE, "event_type": "rating", "rating": -2.5, "quantity": None, "unit_price": None}).rating == -2.5


def test_a_purchase_may_come_without_a_price_and_without_a_customer() -> None:
    event = Event.model_validate({**PURCHASE, "unit_price": None, "currency": None})
    assert (event.unit_price, event.currency, event.user_id) == (None, None, None)


def test_a_zone_with_offset_zero_becomes_utc() -> None:
    london_winter = timezone(timedelta(0), "GMT")
    event = Event.model_validate({**PURCHASE, "occurred_at": datetime(2026, 1, 1, tzinfo=london_winter)})
    assert event.occurred_at.tzinfo is UTC


def test_an_event_from_before_analytics_consent_counts_as_allowed() -> None:
    assert Event.model_validate(PURCHASE).consent_analytics
    assert not Event.model_validate({**PURCHASE, "consent_analytics": False}).consent_analytics


def test_every_type_says_what_it_is_for() -> None:
    assert list(TYPE_RULES) == list(EventType)
    assert all(rule.meaning for rule in TYPE_RULES.values())
    assert {name for rule in TYPE_RULES.values() for name in (*rule.needs, *rule.asks)} <= set(Event.model_fields)


def test_an_event_of_before_is_read_without_the_newer_fields() -> None:
    event = Event.model_validate(PURCHASE)
    assert (event.sent_at, event.experiments, event.served_by, event.team, event.custom_type, event.properties) == (None,) * 6
