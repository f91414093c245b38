"""Changes of a schema, and whether readers by the new one read what was written by the old one: by endcap's rules, and by Apicurio's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from endcap.contracts.topic_schema import DIALECT

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
NULL: Schema = {"type": "null"}
COLOURS: Schema = {"type": "string", "enum": ["blue", "red"]}


@dataclass(frozen=True)
class Case:
    """One kind of change.

    Attributes:
        change: what the documentation calls it.
        old, new: schemas before and after.
        breaks: fields that break by endcap's rules.
        registry_refuses: whether Apicurio refuses the new one.
    """

    change: str
    old: Schema
    new: Schema
    breaks: tuple[str, ...]
    registry_refuses: bool


def record(fields: Mapping[str, Any], required: tuple[str, ...] = (), others: Any = False) -> Schema:
    """An object as pydantic describes a model: closed unless `others` says otherwise."""
    schema: dict[str, Any] = {"$schema": DIALECT, "title": "Value", "type": "object", "properties": fields, "additionalProperties": others}
    return {**schema, "required": [*required]} if required else schema


def of_field(old: Schema, new: Schema) -> tuple[Schema, Schema]:
    """A change of one field's schema."""
    return record({"a": old}), record({"a": new})


def nested(schema: Schema) -> Schema:
    """A list of models, as pydantic describes it."""
    return {**record({"a": {"type": "array", "items": {"$ref": "#/definitions/Part"}}}), "definitions": {"Part": schema}}


def part(required: tuple[str, ...]) -> Schema:
    return {name: value for name, value in record({"b": TEXT, "c": TEXT}, required).items() if name != "$schema"}


def bounded(kind: str, **bounds: float | str) -> Schema:
    return {"type": kind, **bounds}


def texts(**bounds: int) -> Schema:
    return {"type": "array", "items": TEXT, **bounds}


CASES = (
    Case("a new optional field", record({"a": TEXT}), record({"a": TEXT, "b": TEXT}), (), False),
    Case(
        "a new optional field of a model that takes unknown fields",
        record({"a": TEXT}, others=True),
        record({"a": TEXT, "b": TEXT}, others=True),
        ("b",),
        True,
    ),
    Case("a new required field", record({"a": TEXT}), record({"a": TEXT, "b": TEXT}, ("b",)), ("b",), True),
    Case("a removed field", record({"a": TEXT, "b": TEXT}), record({"a": TEXT}), ("b",), True),
    Case(
        "a removed field of a model that takes unknown fields",
        record({"a": TEXT, "b": TEXT}, others=True),
        record({"a": TEXT}, others=True),
        (),
        False,
    ),
    Case("an optional field that is required now", record({"a": TEXT}), record({"a": TEXT}, ("a",)), ("a",), True),
    Case("a required field that is optional now", record({"a": TEXT}, ("a",)), record({"a": TEXT}), (), False),
    Case("a required field of a model within a list", nested(part(())), nested(part(("b",))), ("a[].b",), True),
    Case("unknown fields that are taken now", record({"a": TEXT}), record({"a": TEXT}, others=True), (), False),
    Case("unknown fields that are refused now", record({"a": TEXT}, others=True), record({"a": TEXT}), ("*",), True),
    Case("a dictionary with wider values", record({}, others=INTEGER), record({}, others=NUMBER), (), False),
    Case("a dictionary with narrower values", record({}, others=NUMBER), record({}, others=INTEGER), ("*",), True),
    Case("an integer that is a number now", *of_field(INTEGER, NUMBER), (), False),
    Case("a number that is an integer now", *of_field(NUMBER, INTEGER), ("a",), True),
    Case("another type", *of_field(TEXT, NUMBER), ("a",), True),
    Case("a text or an enumeration that may be null now", *of_field(TEXT, {"anyOf": [TEXT, NULL]}), (), False),
    Case("a number, a truth value, a list or a model that may be null now", *of_field(NUMBER, {"anyOf": [NUMBER, NULL]}), ("a",), True),
    Case("a value that may no longer be null", *of_field({"anyOf": [TEXT, NULL]}, TEXT), ("a",), True),
    Case("one more alternative", *of_field({"anyOf": [TEXT, NULL]}, {"anyOf": [TEXT, INTEGER, NULL]}), (), False),
    Case("one alternative less", *of_field({"anyOf": [INTEGER, NUMBER, NULL]}, {"anyOf": [NUMBER, NULL]}), ("a",), True),
    Case("an alternative that is narrower", *of_field({"anyOf": [NUMBER, NULL]}, {"anyOf": [INTEGER, NULL]}), ("a",), True),
    Case("a value added to an enumeration", *of_field(COLOURS, {**COLOURS, "enum": ["blue", "green", "red"]}), (), False),
    Case("a value removed from an enumeration", *of_field(COLOURS, {**COLOURS, "enum": ["red"]}), ("a",), True),
    Case("an enumeration where any text was", *of_field(TEXT, COLOURS), ("a",), True),
    Case("any text where an enumeration was", *of_field(COLOURS, TEXT), (), False),
    Case("another constant", *of_field({**INTEGER, "const": 1}, {**INTEGER, "const": 2}), ("a",), True),
    Case("a longer longest text", *of_field(bounded("string", maxLength=8), bounded("string", maxLength=9)), (), False),
    Case("a shorter longest text", *of_field(bounded("string", maxLength=8), bounded("string", maxLength=7)), ("a",), True),
    Case("a longest text where none was", *of_field(TEXT, bounded("string", maxLength=7)), ("a",), True),
    Case("a shorter shortest text", *of_field(bounded("string", minLength=2), bounded("string", minLength=1)), (), False),
    Case("a longer shortest text", *of_field(bounded("string", minLength=1), bounded("string", minLength=2)), ("a",), True),
    Case("a lower smallest number", *of_field(bounded("number", minimum=1), bounded("number", minimum=0)), (), False),
    Case("a higher smallest number", *of_field(bounded("number", minimum=0), bounded("number", minimum=1)), ("a",), True),
    Case(
        "a smallest number that is itself excluded",
        *of_field(bounded("number", minimum=0), bounded("number", exclusiveMinimum=0)),
        ("a",),
        True,
    ),
    Case(
        "a smallest number that is itself taken", *of_field(bounded("number", exclusiveMinimum=0), bounded("number", minimum=0)), (), False
    ),
    Case("a higher largest number", *of_field(bounded("number", maximum=1), bounded("number", maximum=2)), (), False),
    Case("a lower largest number", *of_field(bounded("number", maximum=2), bounded("number", maximum=1)), ("a",), True),
    Case("another pattern", *of_field(bounded("string", pattern="^a"), bounded("string", pattern="^b")), ("a",), True),
    Case("no pattern any more", *of_field(bounded("string", pattern="^a"), TEXT), (), False),
    Case("a format where none was", *of_field(TEXT, bounded("string", format="date-time")), ("a",), True),
    Case("no format any more", *of_field(bounded("string", format="date-time"), TEXT), (), False),
    Case("a list with wider elements", *of_field({"type": "array", "items": INTEGER}, {"type": "array", "items": NUMBER}), (), False),
    Case(
        "a list with narrower elements", *of_field({"type": "array", "items": NUMBER}, {"type": "array", "items": INTEGER}), ("a[]",), True
    ),
    Case("a longer list", *of_field(texts(maxItems=2), texts(maxItems=3)), (), False),
    Case("a shorter list", *of_field(texts(maxItems=3), texts(maxItems=2)), ("a",), True),
    Case("a bound without the type that it is of", *of_field(bounded("string", maxLength=8), {"maxLength": 8}), ("a",), False),
    Case("another description, title or default", *of_field(TEXT, {**TEXT, "description": "d", "title": "t", "default": "x"}), (), False),
    Case("a keyword that endcap's models do not make", *of_field(TEXT, {**TEXT, "not": {"const": "x"}}), ("a",), True),
)
