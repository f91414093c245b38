"""YAML by hand: what is read, what is refused, and that nothing else ever happens."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import InvalidInput
from endcap.core.yaml_document import DEPTH_MAX, SIZE_MAX_BYTES, read_yaml
from tests.properties import examples

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text("abcäöü .-_:#'\"{}[]&*!|>%@,0123456789", max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: yes", "yes"),
        ("a: no # said plainly", "no"),
        ("a: true", True),
        ("a: 08:00-12:00", "08:00-12:00"),
        ("a: 22:00", "22:00"),
        ("a: 2026-11-27", "2026-11-27"),
        ("a: 007", "007"),
        ("a: 0x10", "0x10"),
        ("a: 12", 12),
        ("a: -1.5e3", -1500.0),
        ("a: 1e3", 1000.0),
        ("a: '12'", "12"),
        ("a:", None),
        ("a: ~", None),
        ("a: .inf", ".inf"),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says(text: str, value: Any) -> None:
    read = read_yaml(text, "f").value["a"]
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: the key `a` stands twice"),
        ("a: {b: 1, b: 2}", "line 1: the key `b` stands twice"),
        ("a: &x 1", "anchors and aliases"),
        ("a: [1]\nb: *x", "anchors and aliases"),
        ("a: !!python/object/apply:os.system ['true']", "tags are not allowed"),
        ("? [1, 2]\n: 3", "a key must be text"),
        ("a: 1\n---\nb: 2", "a second document"),
        ("a: [1, 2", "no YAML"),
        ("\ta: 1", "no YAML"),
        ("a: \x00", "no YAML"),
        ("a: 1\nb: %d.%m.%Y", 'line 2, column 4: a value cannot start with % unless it is quoted; write it as "%d.%m.%Y"'),
        ("a: [@x, 2]", "cannot start with @"),
        ("[" * (DEPTH_MAX + 2), "too deeply nested"),
        ("x" * (SIZE_MAX_BYTES + 1), "too long"),
    ],
)
def test_surprises_are_refused_with_their_line(text: str, message: str) -> None:
    with pytest.raises(InvalidInput, match="f") as refused:
        read_yaml(text, "f")
    assert message in str(refused.value)


def test_every_value_has_its_line() -> None:
    document = read_yaml("a: 1\nb:\n  - x\n  - {c: 2,\n     d: 3}\n", "f")
    assert [document.line(path) for path in [("a",), ("b",), ("b", 0), ("b", 1, "d"), ("b", 1, "missing"), ("z",)]] == [1, 2, 3, 5, 4, 1]


@examples(60)
@given(PLAIN)
def test_what_the_library_writes_reads_back(value: Any) -> None:
    assert read_yaml(yaml.safe_dump(value, allow_unicode=True, default_flow_style=True), "f").value == value


@given(st.text(max_size=200) | st.text("a:-[]{}\n &*!'\"#?|>", max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read_yaml(text, "f")
    except InvalidInput as refused:
        assert refused.message
