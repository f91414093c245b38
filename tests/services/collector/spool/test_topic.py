"""Keys of messages."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.events.log.batches import Impressions
from endcap_collector.spool.topic import Topic
from tests.endcap.events.log.shown_lists import shown_list
from tests.properties import examples

EVENTS = Topic("events", ("user_id", "session_id"))
TEXTS = st.text(max_size=12)


@examples(200)
@given(st.none() | TEXTS, TEXTS.filter(bool), TEXTS)
def test_the_key_is_the_users_id_else_the_sessions(user: str | None, session: str, other: str) -> None:
    fields = {"query": f'"user_id":"{other}"', "session_id": session, "properties": json.dumps({"user_id": other})}
    line = json.dumps(fields if user is None else {**fields, "user_id": user}, separators=(",", ":")).encode()
    assert EVENTS.key_of(line) == (user or session).encode()


@pytest.mark.parametrize("shown", [shown_list("r1", 1, "ü", "s"), shown_list("r1", 1, None, "s"), shown_list("r1", 1)])
def test_the_key_is_that_of_the_log_of_lists(shown: Impressions) -> None:
    assert [EVENTS.key_of(shown.json_lines().encode().strip())] == [person.encode() for person in shown.persons()]


def test_what_is_no_text_stops_nothing() -> None:
    assert EVENTS.key_of(b'{"user_id":"\\ud800"}') == b"?"


def test_a_line_without_any_of_the_fields_has_no_key() -> None:
    assert Topic("catalogue", ("item_id",)).key_of(b'{"user_id":"u"}') is None
