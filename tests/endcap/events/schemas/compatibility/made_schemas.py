"""Schemas for properties: any that a value can be judged by, those that pydantic makes of a field, what may become of one, and values."""

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

Schemas = st.SearchStrategy[dict[str, Any]]

SMALL = st.integers(0, 3)
NAMES = st.sampled_from("abc")
LETTERS = st.text("ab", max_size=4)
NUMBERS = st.sampled_from([-1, 0, 0.5, 1, 1.0, 2, 2.5, 3, 4])
ENUMERATIONS = st.lists(LETTERS, min_size=1, max_size=3, unique=True)
CONSTANTS = st.sampled_from([{"const": 1}, {"const": True}, {"const": "a"}, {"type": "integer", "const": 2}, {"type": "boolean"}])

BOUNDS: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "string": {"minLength": SMALL, "maxLength": SMALL, "pattern": st.sampled_from(["^a", "b$"])},
    "integer": {"minimum": SMALL, "exclusiveMaximum": SMALL},
    "number": {"exclusiveMinimum": SMALL, "maximum": SMALL, "minimum": SMALL},
    "array": {"minItems": SMALL, "maxItems": SMALL},
    "object": {"required": st.lists(NAMES, max_size=2, unique=True), "additionalProperties": st.booleans()},
}
"""What else a schema of a type may say, beside its parts."""


def typed(kind: str, **more: st.SearchStrategy[Any]) -> Schemas:
    """A schema of one type with some of its keywords."""
    return st.fixed_dictionaries({}, optional={**BOUNDS[kind], **more}).map(lambda chosen: {"type": kind, **chosen})


LEAVES: Schemas = st.one_of(
    st.just({}),
    st.just({"type": "null"}),
    *(typed(kind) for kind in ("string", "integer", "number")),
    ENUMERATIONS.map(lambda values: {"type": "string", "enum": values}),
    CONSTANTS,
)


def objects(inner: Schemas) -> Schemas:
    """Models and dictionaries."""
    return typed("object", properties=st.dictionaries(NAMES, inner, max_size=3), additionalProperties=st.booleans() | inner)


SCHEMAS: Schemas = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        typed("array", items=inner, uniqueItems=st.booleans()),
        objects(inner),
        st.lists(inner | st.booleans(), min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
        inner.map(lambda one: {"not": one}),
        st.lists(inner, min_size=1, max_size=2).map(lambda branches: {"type": "array", "items": branches}),
    ),
    max_leaves=6,
)
FIELDS: Schemas = st.recursive(
    LEAVES.filter(lambda leaf: "type" in leaf),
    lambda inner: st.one_of(
        typed("array", items=inner),
        objects(inner),
        st.lists(inner.filter(lambda one: one.get("type") not in (None, "null")), min_size=1, max_size=2).map(
            lambda branches: {"anyOf": [*branches, {"type": "null"}]}
        ),
    ),
    max_leaves=3,
)
"""As pydantic makes them: each with its type, alternatives with null and never within each other."""


@st.composite
def changed(draw: st.DrawFn, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with a keyword or two exchanged, left out or added, at any depth: what is near is where mistakes would be."""
    new = dict(schema)
    for name in draw(st.lists(st.sampled_from(sorted(new) or ["type"]), max_size=2, unique=True)):
        value = new.pop(name, None)
        if isinstance(value, dict) and name == "properties" and value and draw(st.booleans()):
            field = draw(st.sampled_from(sorted(value)))
            new[name] = {**value, field: draw(changed(value[field]))}
        elif isinstance(value, dict) and name != "properties":
            new[name] = draw(changed(value))
        elif name == "type":
            new[name] = draw(st.sampled_from([value or "integer", "number", "string"]))
        elif isinstance(value, list) and name in ("enum", "anyOf") and len(value) > 1:
            new[name] = value[1:] if draw(st.booleans()) else value[::-1]
    more = BOUNDS.get(str(new.get("type")), {})
    if more and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(more)))
        new[name] = draw(more[name])
    if new.get("type") == "object" and draw(st.booleans()):
        new["properties"] = {**new.get("properties", {}), draw(NAMES): draw(LEAVES)}
    return new


def nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same or null; alternatives get one more."""
    return {"anyOf": [*schema.get("anyOf", [schema]), {"type": "boolean" if "anyOf" in schema else "null"}]}


ANY_VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | LETTERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
    max_leaves=5,
)


def values_of(schema: Any) -> st.SearchStrategy[Any]:
    """Values that the schema mostly allows, those at its bounds among them."""
    if not isinstance(schema, Mapping):
        return ANY_VALUE
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("anyOf"):
        return st.one_of(*map(values_of, schema["anyOf"]))
    return _OF_TYPE.get(str(schema.get("type")), lambda _: ANY_VALUE)(schema)


def _lists_of(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    items = schema.get("items")
    return st.lists(st.one_of(*map(values_of, items)) if isinstance(items, list) else values_of(items), max_size=4)


def _objects_of(schema: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    others = schema.get("additionalProperties")
    names = {*schema.get("properties", {}), *("abcd" if others is not False else "")}
    fields = {name: values_of(schema.get("properties", {}).get(name, others)) for name in sorted(names)}
    needed = {name: fields.pop(name) for name in schema.get("required", ()) if name in fields}
    return st.fixed_dictionaries(needed, optional=fields)


_OF_TYPE: Mapping[str, Callable[[Mapping[str, Any]], st.SearchStrategy[Any]]] = {
    "string": lambda _: LETTERS,
    "integer": lambda _: NUMBERS,
    "number": lambda _: NUMBERS,
    "null": lambda _: st.none(),
    "array": _lists_of,
    "object": _objects_of,
}
