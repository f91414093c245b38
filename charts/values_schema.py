"""values.schema.json from values.yaml: types follow from the defaults, `@schema` narrows them, unknown keys are refused everywhere."""

import json
from typing import Any

from values_comments import CHART, Value, read_values

SCHEMA = CHART / "values.schema.json"
_HIDDEN = ("password", "passwd", "secret", "token", "apikey", "api_key", "accesskey", "access_key")
_NO_SECRETS = {"not": {"pattern": "|".join("".join(f"[{c.upper()}{c}]" for c in word) for word in _HIDDEN)}}
_TEXT = {"type": "string"}
_NAME = {"type": "string", "minLength": 1}
_QUANTITY = {"type": ["string", "number"], "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$"}
_VARIABLE = {"type": "string", "pattern": "^[A-Z_][A-Z0-9_]*$"}
_BUNDLE_VERSION = {"type": ["integer", "string"], "pattern": "^[0-9]+$", "minimum": 1}
_DURATION = {"type": "string", "pattern": "^([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "minLength": 2}


def _closed(properties: dict[str, Any], required: tuple[str, ...] = ()) -> dict[str, Any]:
    closed: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return closed | ({"required": list(required)} if required else {})


def _map_of(values: dict[str, Any], names: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": values} | ({"propertyNames": names} if names else {})


_AMOUNTS = _map_of({"$ref": "#/$defs/quantity"})
_GUARDRAIL = _closed(
    {
        "name": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength": 63},
        "builtIn": {
            "enum": ["errorRate", "latencyP99", "degradedShare", "emptyShare", "scoreDrift", "clickThrough", "conversion"],
        },
        "query": _NAME,
        "limit": {"type": "number"},
        "direction": {"enum": ["atMost", "atLeast"]},
        "failureLimit": {"type": "integer", "minimum": 0},
        "alpha": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    },
    ("name", "limit"),
) | {"oneOf": [{"required": ["builtIn"]}, {"required": ["query"]}]}

DEFINITIONS: dict[str, dict[str, Any]] = {
    "quantity": _QUANTITY,
    "digest": {"type": "string", "pattern": "^(sha256:[0-9a-f]{64})?$"},
    "resources": _closed({"requests": _AMOUNTS, "limits": _AMOUNTS}),
    "stepResources": _map_of(_closed({"cpu": _QUANTITY, "memory": _QUANTITY}), {"pattern": "^[a-z-]+$"}),
    "env": _map_of(_TEXT, {"allOf": [{"pattern": "^[A-Z_][A-Z0-9_]*$"}, _NO_SECRETS]}),
    "settingsEnv": _map_of(_TEXT, {"allOf": [{"pattern": "^ENDCAP_[A-Z0-9_]+$"}, _NO_SECRETS]}),
    "secretEnv": {
        "type": "array",
        "items": _closed({"secretName": _NAME, "key": _NAME, "env": _VARIABLE}, ("secretName", "key", "env")),
    },
    "tolerations": {
        "type": "array",
        "items": _closed(
            {
                "key": _TEXT,
                "operator": {"enum": ["Exists", "Equal"]},
                "value": _TEXT,
                "effect": {"enum": ["NoSchedule", "PreferNoSchedule", "NoExecute"]},
                "tolerationSeconds": {"type": "integer", "minimum": 0},
            }
        ),
    },
    "parentRefs": {
        "type": "array",
        "items": _closed(
            {
                "group": _NAME,
                "kind": _NAME,
                "name": _NAME,
                "namespace": _NAME,
                "sectionName": _NAME,
                "port": {"type": "integer", "minimum": 1, "maximum": 65_535},
            },
            ("name",),
        ),
    },
    "variants": {
        "type": "array",
        "maxItems": 15,
        "items": _closed(
            {
                "name": {
                    "type": "string",
                    "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
                    "maxLength": 20,
                    "not": {"enum": ["candidate", "stable"]},
                },
                "bundle": _closed({"version": _BUNDLE_VERSION, "collection": _NAME}, ("version", "collection")),
                "replicas": _closed({"min": {"type": "integer", "minimum": 1}, "max": {"type": "integer", "minimum": 1}}),
                "env": {"$ref": "#/$defs/settingsEnv"},
            },
            ("name", "bundle"),
        ),
    },
    "customTypes": _map_of(
        _closed({"meaning": _NAME, "browser": {"type": "boolean"}, "schema": {"type": "object"}}, ("meaning", "schema")),
        {"pattern": "^[a-z][a-z0-9_]{0,63}$"},
    ),
    # Without guardrails nothing would stop a candidate: whoever changes the times says them too.
    "analysis": _closed({"interval": _DURATION, "window": _DURATION, "guardrails": {"type": "array", "items": _GUARDRAIL}})
    | {"dependentRequired": {"interval": ["guardrails"], "window": ["guardrails"]}},
}
"""What several values share; `@schema {ref: NAME}` points here."""

_TYPES: dict[type, str] = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}


def schema() -> dict[str, Any]:
    """The whole schema of the chart's values."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Values of the chart endcap",
        **_closed({value.path[-1]: _of(value) for value in read_values()} | {"global": {"type": "object"}}),
        "$defs": DEFINITIONS,
    }


def _of(value: Value) -> dict[str, Any]:
    if value.is_section:
        return _closed({child.path[-1]: _of(child) for child in value.children})
    return {"description": value.says, **_kind(value)}


def _kind(value: Value) -> dict[str, Any]:
    narrowed = dict(value.narrowed)
    if name := narrowed.pop("ref", None):
        return {"$ref": f"#/$defs/{name}"}
    if free := narrowed.pop("free", None):
        return {"type": "object"} if free == "any" else _map_of(_TEXT)
    return {"type": _TYPES[type(value.default)], **narrowed} if value.default is not None else narrowed


def schema_text() -> str:
    """The schema as the file holds it."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema_text())
