import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.events.acceptance.json_text import BrokenJson, is_one_value, read_json, split_lines, split_list

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
INDENTS = st.sampled_from([None, 0, 2])


@given(VALUES, INDENTS)
def test_what_json_writes_is_read(value: object, indent: int | None) -> None:
    text = json.dumps(value, indent=indent)
    assert read_json(f" \n{text}\t ") == value
    assert is_one_value(text)


@given(st.lists(VALUES, max_size=5), INDENTS)
def test_a_list_is_split_into_the_texts_of_its_entries(values: list[object], indent: int | None) -> None:
    text = json.dumps(values, indent=indent)
    entries = list(split_list(text))
    assert [json.loads(entry) for entry in entries] == values
    assert all(entry in text for entry in entries)


@given(st.text(max_size=20) | st.text('[]{},:"\\ 01eE.-tn\n', max_size=20))
def test_any_text_is_read_as_json_reads_it_or_refused(text: str) -> None:
    try:
        value = read_json(text)
    except BrokenJson:
        return
    assert value == json.loads(text)


@given(st.text('[]{},:" 01\n', max_size=20))
def test_a_text_is_split_when_it_is_a_list_and_only_then(text: str) -> None:
    try:
        read = json.loads(text)
    except ValueError:
        read = None
    try:
        entries = list(split_list(text))
    except BrokenJson:
        assert not isinstance(read, list)
        return
    assert read == [json.loads(entry) for entry in entries]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a":1,"a":2}', "a key stands twice"),
        ('{"b":{"a":1,"a":1}}', "a key stands twice"),
        ('{"a":NaN}', "NaN is no JSON number"),
        ('{"a":-Infinity}', "-Infinity is no JSON number"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5_000, "too many digits"),
        ("{} {}", "more than one JSON value"),
        ("", "Expecting value"),
        ("{'a':1}", "Expecting property name"),
    ],
)
def test_json_that_readers_take_differently_is_refused(text: str, reason: str) -> None:
    with pytest.raises(BrokenJson, match=reason):
        read_json(text)


@pytest.mark.parametrize("text", ["", "{}", "[1", "[1,]", "[,1]", "[1 2]", "[1]]", "[1] x", "[", "[}"])
def test_what_is_no_list_is_not_split(text: str) -> None:
    with pytest.raises(BrokenJson):
        list(split_list(text))


def test_blank_lines_are_no_lines() -> None:
    assert list(split_lines('{"a":1}\r\n\n {"b":"\u2028"}\n')) == ['{"a":1}\r', ' {"b":"\u2028"}']
