"""Values in Kafka: framed or plain, each read back as it was; anything else is refused by its kind."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.events.schemas.frame import SCHEMA_ID_MAX, BrokenFrame, TruncatedFrame, UnknownMagicByte, Value, framed, opened
from tests.properties import examples

IDS = st.integers(0, SCHEMA_ID_MAX)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def test_a_frame_is_a_zero_the_id_big_end_first_and_the_json() -> None:
    assert framed(0x01020304, b"{}") == b"\x00\x01\x02\x03\x04{}"


@given(schema_id=IDS, json_bytes=st.binary(max_size=50))
@examples(100)
def test_what_was_framed_is_opened(schema_id: int, json_bytes: bytes) -> None:
    assert opened(framed(schema_id, json_bytes)) == Value(json_bytes, schema_id)


@given(value=JSON, indent=st.none() | st.integers(0, 2), space=st.sampled_from(["", " ", "\n", "\t", "\r\n"]))
@examples(100)
def test_every_json_text_is_plain(value: Any, indent: int | None, space: str) -> None:
    text = (space + json.dumps(value, indent=indent)).encode()
    assert opened(text) == Value(text)


@given(value=st.binary(max_size=12))
@examples(200)
def test_any_bytes_are_a_value_or_a_refusal_that_a_dead_letter_can_have(value: bytes) -> None:
    try:
        found = opened(value)
    except BrokenFrame as error:
        assert error.kind is DeadLetterKind.PAYLOAD_BROKEN
        assert (error.field, bool(error.fix)) == ("value", True)
    else:
        assert value == (found.json if found.schema_id is None else framed(found.schema_id, found.json))


@pytest.mark.parametrize("value", [b"", b"\x00", b"\x00\x00\x00\x00"])
def test_a_value_that_ends_too_early_is_truncated(value: bytes) -> None:
    with pytest.raises(TruncatedFrame):
        opened(value)


@pytest.mark.parametrize("value", [b"\x01" + b"x" * 20, b"\xff", b"\xef\xbb\xbf{}"])
def test_another_first_byte_is_of_an_unknown_format(value: bytes) -> None:
    with pytest.raises(UnknownMagicByte, match=f"begins with the byte {value[0]};"):
        opened(value)


@pytest.mark.parametrize("schema_id", [-1, SCHEMA_ID_MAX + 1])
def test_an_id_that_does_not_fit_is_refused(schema_id: int) -> None:
    with pytest.raises(ValueError, match="schema_id"):
        framed(schema_id, b"{}")
