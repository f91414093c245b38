"""Schemas for properties: any that a value can be judged by, those that pydantic makes of a field, and what may become of one."""

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

SMALL = st.integers(0, 3)
LETTERS = st.text("ab", max_size=4)


def optional(**keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keywords)


def typed(kind: str, **keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return optional(**keywords).map(lambda chosen: {"type": kind, **chosen})


LEAVES = st.one_of(
    st.just({}),
    st.just({"type": "null"}),
    typed("string", minLength=SMALL, maxLength=SMALL, pattern=st.sampled_from(["^a", "b$"])),
    typed("integer", minimum=SMALL, exclusiveMaximum=SMALL),
    typed("number", exclusiveMinimum=SMALL, maximum=SMALL),
    st.lists(LETTERS, min_size=1, max_size=3, unique=True).map(lambda values: {"type": "string", "enum": values}),
    st.sampled_from([{"const": 1}, {"const": True}, {"const": "a"}, {"type": "integer", "const": 2}, {"type": "boolean"}]),
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return typed(
        "object",
        properties=st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        required=st.lists(st.sampled_from("abc"), max_size=2, unique=True),
        additionalProperties=st.booleans() | inner,
    )


SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        typed("array", items=inner, minItems=SMALL, maxItems=SMALL, uniqueItems=st.booleans()),
        objects(inner),
        st.lists(inner | st.booleans(), min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
        inner.map(lambda one: {"not": one}),
        st.lists(inner, min_size=1, max_size=2).map(lambda branches: {"type": "array", "items": branches}),
    ),
    max_leaves=6,
)
FIELDS = st.recursive(
    LEAVES.filter(lambda leaf: "type" in leaf),
    lambda inner: st.one_of(
        typed("array", items=inner, minItems=SMALL, maxItems=SMALL),
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
    """The schema with a keyword or two exchanged, at any depth: what is near is where mistakes would be."""
    new = dict(schema)
    for name in draw(st.lists(st.sampled_from(sorted(new) or ["type"]), max_size=2, unique=True)):
        value = new.pop(name, None)
        if isinstance(value, dict) and name == "properties" and value:
            field = draw(st.sampled_from(sorted(value)))
            new[name] = {**value, field: draw(changed(value[field]))}
        elif isinstance(value, dict):
            new[name] = draw(changed(value))
        elif isinstance(value, bool):
            new[name] = not value
        elif isinstance(value, int):
            new[name] = draw(SMALL)
        elif isinstance(value, list) and name in ("enum", "required", "anyOf") and len(value) > 1:
            new[name] = value[1:] if draw(st.booleans()) else value[::-1]
    return new


def nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The same or null; alternatives get one more."""
    return {"anyOf": [*schema.get("anyOf", [schema]), {"type": "boolean" if "anyOf" in schema else "null"}]}
