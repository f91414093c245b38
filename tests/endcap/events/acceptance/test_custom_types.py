from pathlib import Path
from typing import Any

import pytest

from endcap.core.errors import InvalidInput
from endcap.events.acceptance.custom_types import CustomTypes, load_custom_types

FILE = """
types:
  size_guide_opened:
    meaning: The size guide was opened.
    browser: true
    schema:
      type: object
      additionalProperties: false
      required: [table]
      properties: {table: {type: string, maxLength: 20}, rows: {type: integer}}
  appointment:
    meaning: An appointment was made.
    schema: {type: object}
"""


@pytest.fixture
def types(tmp_path: Path) -> CustomTypes:
    (tmp_path / "types.yaml").write_text(FILE)
    return load_custom_types(tmp_path / "types.yaml")


def test_types_of_the_file_are_known_with_those_of_browsers(types: CustomTypes) -> None:
    assert "size_guide_opened" in types
    assert "other" not in types
    assert types.of_browsers == {"size_guide_opened"}


def test_properties_that_fit_are_kept_as_text(types: CustomTypes) -> None:
    assert types.text_of("size_guide_opened", {"table": "é", "rows": 3}) == '{"rows":3,"table":"é"}'


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({}, "does not fit the schema of size_guide_opened at required"),
        ({"table": "secret" * 10}, "at properties.table.maxLength"),
        ({"table": "x", "other": 1}, "at additionalProperties"),
        ({"table": "\ud800"}, "half a character"),
    ],
)
def test_what_does_not_fit_is_refused_without_its_value(types: CustomTypes, properties: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        types.text_of("size_guide_opened", properties)
    assert "secret" not in str(caught.value)


def test_long_properties_are_refused(types: CustomTypes) -> None:
    with pytest.raises(ValueError, match="at most 16,384"):
        types.text_of("appointment", {"note": "x" * 20_000})


def test_no_file_is_no_types() -> None:
    assert "size_guide_opened" not in load_custom_types(None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("types: [", "no YAML"),
        ("kinds: {}", "types"),
        ("types: {Big: {meaning: x, schema: {}}}", "no name of a type"),
        ("types: {a: {meaning: x, schema: {type: 7}}}", "no JSON Schema"),
        ("types: {a: {schema: {}}}", "meaning"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "types.yaml").write_text(content)
    with pytest.raises(InvalidInput, match=message):
        load_custom_types(tmp_path / "types.yaml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_custom_types(tmp_path / "none.yaml")
