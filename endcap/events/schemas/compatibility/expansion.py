"""A schema without references and without what only explains, so that two schemas can be compared place by place."""

from collections.abc import Mapping
from typing import Any

from endcap.core.errors import DataRejected

Schema = Mapping[str, Any] | bool
"""True allows every value, False none."""

ANYTHING: Schema = {}

_EXPLAINS = frozenset({"$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "definitions"})
_OF_SCHEMAS = frozenset({"anyOf", "oneOf", "allOf"})
_HERE = "#/"


def expanded(schema: Mapping[str, Any]) -> Schema:
    """The schema with each reference replaced by what it names.

    Args:
        schema: a whole one, as pydantic makes it from a contract.

    Raises:
        DataRejected: it refers to itself, or to what is not in it.
    """
    return _expanded(schema, schema, ())


def _expanded(schema: Any, root: Mapping[str, Any], within: tuple[str, ...]) -> Schema:
    if isinstance(schema, bool):
        return ANYTHING if schema else False
    kept = {name: _keyword(name, value, root, within) for name, value in schema.items() if name not in _EXPLAINS and name != "$ref"}
    if "$ref" in schema:
        target = _target(schema["$ref"], root, within)
        # A reference beside other keywords means one thing in one dialect and another in the next.
        return {**kept, "allOf": [target]} if kept else target
    if len(kept) == 1 and len(kept.get("allOf", ())) == 1:
        only: Schema = kept["allOf"][0]
        return only
    return kept


def _keyword(name: str, value: Any, root: Mapping[str, Any], within: tuple[str, ...]) -> Any:
    if name == "properties":
        return {field: _expanded(schema, root, within) for field, schema in value.items()}
    if name in _OF_SCHEMAS:
        return [_expanded(schema, root, within) for schema in value]
    if name == "additionalProperties" or (name == "items" and not isinstance(value, list)):
        return _expanded(value, root, within)
    return value


def _target(reference: str, root: Mapping[str, Any], within: tuple[str, ...]) -> Schema:
    if reference in within:
        raise DataRejected("the schema refers to itself", field="$ref", value=reference, fix="give the contract a field without a cycle")
    found: Any = root
    for part in reference.removeprefix(_HERE).split("/"):
        if not reference.startswith(_HERE) or not isinstance(found, Mapping) or part not in found:
            raise DataRejected("the schema refers to what is not in it", field="$ref", value=reference, fix="name one of its definitions")
        found = found[part]
    return _expanded(found, root, (*within, reference))
