"""Secrets that objects name: by walking every field in which Kubernetes or an operator takes the name of one."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

Named = dict[tuple[str, str], set[str]]
"""Keys that are read, by namespace and name of the secret."""
STORAGE_KEYS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
"""What KServe's storage initializer reads of a secret of a ServiceAccount, for `s3://`."""
MADE_BY_OTHERS = {"Certificate", "Gateway"}
"""Kinds whose secret cert-manager makes."""


def named_secrets(objects: Iterable[dict[str, Any]], namespace: str) -> Named:
    """Every secret that the objects name and that is none of them.

    Args:
        objects: as Helm renders them.
        namespace: the release's, of objects that name none.
    """
    objects = list(objects)
    own = {(_place(each, namespace), each["metadata"]["name"]) for each in objects if each["kind"] == "Secret"}
    named: Named = defaultdict(set)
    for each in objects:
        if each["kind"] not in MADE_BY_OTHERS:
            for name, keys in _named_in(each):
                named[_place(each, namespace), name] |= keys
    return {place: keys for place, keys in named.items() if place not in own}


def completed(named: Named, made: Named) -> Named:
    """The secrets named, with the keys of those made where a part takes all keys there are (`envFrom`)."""
    return {place: keys or made.get(place, {"a key"}) for place, keys in named.items()}


def _place(rendered: dict[str, Any], namespace: str) -> str:
    return str(rendered["metadata"].get("namespace", namespace))


def _named_in(node: Any) -> Iterator[tuple[str, set[str]]]:
    if isinstance(node, list):
        for each in node:
            yield from _named_in(each)
    if not isinstance(node, dict):
        return
    if node.get("kind") == "ServiceAccount" and "metadata" in node:
        yield from ((each["name"], STORAGE_KEYS) for each in node.get("secrets", []))
    if "secretName" in node:
        items = {each["key"] for each in node.get("items", [])}
        yield node["secretName"], items | {each["secretKey"] for each in node.get("keyToEnv", [])}
    for field, value in node.items():
        if field == "secretKeyRef":
            yield value["name"], {value["key"]}
        elif field == "secretRef":
            yield (value["name"], set()) if isinstance(value, dict) else (value, set())
        elif field == "imagePullSecrets":
            yield from ((each["name"], set()) for each in value)
        yield from _named_in(value)
