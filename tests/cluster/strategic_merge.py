"""Kubernetes' strategic merge of pod specs, as far as KServe uses it: lists of named things merge, other lists are replaced."""

from typing import Any

MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "volumes": "name",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}
"""The list fields of a pod spec that have a merge key, and which."""


def merged(base: dict[str, Any], override: dict[str, Any]) -> dict[str, Any]:
    """A new object: the override's fields win, maps and keyed lists merge; a keyed list begins with what the override has."""
    result = dict(base)
    for field, value in override.items():
        present = result.get(field)
        if isinstance(value, dict) and isinstance(present, dict):
            result[field] = merged(present, value)
        elif isinstance(value, list) and isinstance(present, list) and field in MERGE_KEYS:
            result[field] = _merged_lists(present, value, MERGE_KEYS[field])
        else:
            result[field] = value
    return result


def _merged_lists(base: list[dict[str, Any]], override: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    present = {each[key]: each for each in base}
    first = [merged(present[each[key]], each) if each[key] in present else each for each in override]
    named = {each[key] for each in override}
    return first + [each for each in base if each[key] not in named]
