"""The CustomResourceDefinition of `Rollout`, made from its models: `python -m endcap.release.rollout.definition FILE` writes it.

Kubernetes asks for a structural schema: no references, no alternatives, one type a field. What the models check beyond that follows as
rules in CEL, so that the API server refuses what the operator could not read.
"""

import sys
from pathlib import Path
from typing import Any

import yaml

from endcap.contracts.rollout import GROUP, KIND, PLURAL, VERSION, RolloutSpec, RolloutStatus

HEADER = "# Made by `python -m endcap.release.rollout.definition`; do not edit.\n"
SHORT_NAME = "ecro"

SPEC_RULES = [
    {"rule": "self.target == oldSelf.target", "message": "target cannot be changed; start another rollout"},
    {"rule": "self.bundle == oldSelf.bundle", "message": "bundle cannot be changed; start another rollout"},
    {"rule": "self.steps.map(step, step.setWeight).isSorted()", "message": "setWeight may not fall from one step to the next"},
]
STEP_RULES = [
    {
        "rule": "self.setWeight > 0 || !has(self.pause) || !has(self.pause.minRequests)",
        "message": "a step of weight 0 gets no requests: leave out minRequests",
    }
]
GUARDRAIL_RULES = [
    {"rule": "has(self.builtIn) != has(self.query)", "message": "give either builtIn or query"},
    {
        "rule": "!has(self.builtIn) || !(self.builtIn in ['clickThrough', 'conversion']) || self.direction == 'atLeast'",
        "message": "clickThrough and conversion need direction atLeast",
    },
]

COLUMNS = [
    ("Phase", "string", ".status.phase"),
    ("Step", "integer", ".status.currentStepIndex"),
    ("Weight", "integer", ".status.currentWeight"),
    ("Bundle", "integer", ".spec.bundle.version"),
    ("Reason", "string", ".status.reason"),
    ("Age", "date", ".metadata.creationTimestamp"),
]
_KEPT = ("description", "format", "enum", "minimum", "maximum", "minLength", "maxLength", "pattern", "minItems", "maxItems", "required")


def rollout_definition() -> dict[str, Any]:
    """The definition as the API server takes it."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{PLURAL}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"kind": KIND, "listKind": f"{KIND}List", "plural": PLURAL, "singular": KIND.lower(), "shortNames": [SHORT_NAME]},
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": [{"name": name, "type": kind, "jsonPath": path} for name, kind, path in COLUMNS],
                    "schema": {"openAPIV3Schema": _rollout_schema()},
                }
            ],
        },
    }


def definition_text() -> str:
    """The definition as the chart holds it."""
    return HEADER + yaml.safe_dump(rollout_definition(), sort_keys=False, width=140)


def _rollout_schema() -> dict[str, Any]:
    spec = _structural(RolloutSpec.model_json_schema(by_alias=True))
    spec["x-kubernetes-validations"] = SPEC_RULES
    spec["properties"]["steps"]["items"]["x-kubernetes-validations"] = STEP_RULES
    guardrails = spec["properties"]["analysis"]["properties"]["guardrails"]
    guardrails["items"]["x-kubernetes-validations"] = GUARDRAIL_RULES
    guardrails |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
    status = _structural(RolloutStatus.model_json_schema(by_alias=True), defaults=False)
    status["properties"]["conditions"] |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
    return {
        "type": "object",
        "description": "A candidate bundle, the steps it takes to all traffic, and what stops it.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": spec,
            "status": status,
        },
    }


def _structural(schema: dict[str, Any], *, defaults: bool = True) -> dict[str, Any]:
    """The schema of one model with its references resolved; status fields have no defaults, for only the operator writes them."""
    definitions = schema.get("$defs", {})

    def convert(node: dict[str, Any]) -> dict[str, Any]:
        node = _resolved(_without_null(_resolved(node, definitions)), definitions)
        result = {name: node[name] for name in ("type", *_KEPT) if name in node}
        if node.get("type") == "integer":
            result["format"] = "int64"
        for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            if exclusive in node:
                result |= {bound: node[exclusive], exclusive: True}
        if "properties" in node:
            result["properties"] = {name: convert(child) for name, child in node["properties"].items()}
        if "items" in node:
            result["items"] = convert(node["items"])
        if defaults and node.get("default") is not None:
            result["default"] = _without_nulls(node["default"])
        return result

    return convert(schema)


def _resolved(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    if reference is None:
        return node
    named: dict[str, Any] = definitions[reference.rpartition("/")[2]]
    return named | {name: value for name, value in node.items() if name != "$ref"}


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """A field that may be left out is `T | None` in Python; in the resource it is a `T` that is not there."""
    if "anyOf" not in node:
        return node
    kept: dict[str, Any] = next(choice for choice in node["anyOf"] if choice.get("type") != "null")
    return kept | {name: value for name, value in node.items() if name != "anyOf"}


def _without_nulls(value: Any) -> Any:
    return {name: each for name, each in value.items() if each is not None} if isinstance(value, dict) else value


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(definition_text(), encoding="utf-8")
    else:
        sys.stdout.write(definition_text())
