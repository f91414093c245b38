from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.placeholder_ids import is_no_item, is_no_person

PLACEHOLDERS = [
    "undefined",
    "null",
    "guest",
    "anonymous",
    "[object Object]",
    "0",
    "000",
    str(UUID(int=0)),
    "",
    " ",
    "NaN",
    "None",
    "Guest ",
]


@pytest.mark.parametrize("text", PLACEHOLDERS)
def test_what_programs_write_for_no_id_is_none(text: str) -> None:
    assert is_no_person(text)


@pytest.mark.parametrize("text", ["u-1", "guestbook", "100", "0a", "00000000-0000-0000-0000-000000000001", "nullable", "0" * 128])
def test_ids_that_only_look_like_it_are_ids(text: str) -> None:
    assert not is_no_person(text)


@pytest.mark.parametrize("text", ["undefined", "null", "[object Object]", ""])
def test_items_know_the_words_of_programs(text: str) -> None:
    assert is_no_item(text)


@pytest.mark.parametrize("text", ["0", "000", "guest"])
def test_items_may_be_numbered_from_0_and_called_guest(text: str) -> None:
    assert not is_no_item(text)


@given(st.uuids(version=4))
def test_no_random_uuid_is_taken_for_none(value: UUID) -> None:
    assert not is_no_person(str(value))


def test_a_long_text_costs_no_look() -> None:
    assert not is_no_person("0" * 1_000_000 + "x")
