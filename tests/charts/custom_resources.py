"""Custom resources against their definition, as an API server with strict field validation sees them."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from tests.charts.chart import SHARED, Document

CRDS = SHARED / "data" / "crds"
_EMBEDDED = {"apiVersion", "kind", "metadata"}


@cache
def schemas(folder: Path = CRDS) -> dict[tuple[str, str], Document]:
    """Schema by apiVersion and kind."""
    found = {}
    for path in sorted(folder.glob("*/*.json")):
        spec = json.loads(path.read_text())["spec"]
        for version in spec["versions"]:
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = version["schema"]["openAPIV3Schema"]
    return found


def faults(document: Document, schema: Document) -> list[str]:
    """What an API server would refuse: wrong values, and fields that the schema does not know."""
    plain = _as_json_schema(schema)
    wrong = [f"{error.json_path}: {error.message}" for error in jsonschema.Draft7Validator(plain).iter_errors(document)]
    return wrong + [f"{path}: unknown field" for path in unknown_fields(document, schema)]


def unknown_fields(value: Any, schema: Document, path: str = "$") -> Iterator[str]:
    """Fields that pruning would take away."""
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from unknown_fields(each, schema.get("items", {}), f"{path}[{number}]")
    if not isinstance(value, dict):
        return
    known, free = schema.get("properties", {}), schema.get("additionalProperties")
    keeps_all = schema.get("x-kubernetes-preserve-unknown-fields", False)
    for name, each in value.items():
        if name in known:
            if not (path == "$" and name == "metadata"):
                yield from unknown_fields(each, known[name], f"{path}.{name}")
        elif free:
            yield from unknown_fields(each, free if isinstance(free, dict) else {}, f"{path}.{name}")
        elif not keeps_all and not (schema.get("x-kubernetes-embedded-resource") and name in _EMBEDDED):
            yield f"{path}.{name}"


def _as_json_schema(node: Any) -> Any:
    """`nullable` and formats in the words of JSON Schema."""
    if isinstance(node, list):
        return [_as_json_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {name: _as_json_schema(each) for name, each in node.items() if name != "format"}
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        plain["type"] = [node["type"], "null"]
    return plain
