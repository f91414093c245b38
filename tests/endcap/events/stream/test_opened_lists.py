"""Which lists were opened, and when first, however events are cut into batches."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.events.stream.function import Instant
from endcap.events.stream.opened_lists import OpenedLists
from tests.endcap.events.outcomes.driven import LAG, Driven
from tests.endcap.events.outcomes.made_events import START, event, frame

LISTS = ("mail-1", "mail-2", None)


def opened(number: int, minutes: int, request_id: str | None) -> dict[str, Any]:
    return event("mail_open", number, minutes, None, request_id=request_id)


def said(batches: list[list[dict[str, Any]]]) -> dict[str, str]:
    driven = Driven(OpenedLists())
    for batch in batches:
        if batch:
            newest = START + timedelta(days=1)
            driven.step(frame(batch), Instant(newest, newest - LAG))
    return dict(driven.said().select("request_id", "event_id").rows())


@pytest.mark.properties
@given(st.lists(st.tuples(st.integers(0, 500), st.sampled_from(LISTS)), max_size=12), st.integers(1, 5), st.randoms())
def test_the_first_opening_of_a_list_holds_whatever_came_first(openings: list[tuple[int, str | None]], size: int, random: Random) -> None:
    events = [opened(number, minutes, request_id) for number, (minutes, request_id) in enumerate(openings)]
    first: dict[str, str] = {}
    for each in sorted(events, key=lambda each: (each["occurred_at"], each["event_id"])):
        if each["request_id"] is not None:
            first.setdefault(each["request_id"], each["event_id"])
    random.shuffle(events)
    batches = [events[begin : begin + size] for begin in range(0, len(events), size)]
    assert said(batches) == first


def test_a_list_that_is_opened_again_is_not_said_again() -> None:
    driven = Driven(OpenedLists())
    present = START + timedelta(hours=1)
    driven.step(frame([opened(1, 0, "mail-1")]), Instant(present, present - LAG))
    driven.rows.clear()
    driven.step(frame([opened(2, 60, "mail-1")]), Instant(present, present - LAG))
    assert driven.rows == {}


def test_after_a_while_it_is_forgotten() -> None:
    driven = Driven(OpenedLists(timedelta(days=2)))
    present = START + timedelta(hours=1)
    driven.step(frame([opened(1, 0, "mail-1")]), Instant(present, present - LAG))
    assert len(driven.state) == 1
    later = present + timedelta(days=3)
    driven.step(frame([opened(2, 0, None)]), Instant(later, later - LAG))
    assert driven.state.is_empty()
    assert driven.due.is_empty()


def test_other_events_of_the_list_open_nothing() -> None:
    assert said([[event("click", 1, 0, request_id="mail-1")]]) == {}
