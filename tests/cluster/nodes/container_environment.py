"""The environment variables of a container, as a kubelet works them out of the pod."""

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.cluster.nodes.node_api import Document, NodeApi

REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][\w.-]*)\)")
BY_NAME = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


class NotThere(Exception):
    """A ConfigMap, a Secret or a key that the pod needs is missing; a kubelet waits for it."""


def contents(api: NodeApi, resource: str, name: str, is_optional: bool) -> dict[str, bytes]:
    """The data of a ConfigMap or a Secret by key.

    Args:
        resource: `configmaps` or `secrets`.

    Raises:
        NotThere: it is missing and not optional.
    """
    found = api.read(resource, name)
    if found is None:
        if is_optional:
            return {}
        raise NotThere(f"{resource.removesuffix('s')} {name} is not there")
    decoded = {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
    for key, value in (found.get("data") or {}).items():
        decoded[key] = base64.b64decode(value) if resource == "secrets" else value.encode()
    return decoded


def environment_of(api: NodeApi, pod: Document, container: Document) -> dict[str, str]:
    """Variables of `envFrom` and `env` by name, with `$(NAME)` filled in; memory and CPU (`resourceFieldRef`) are left out.

    Raises:
        NotThere: something that they refer to is missing.
    """
    made: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        for resource, field in (("configmaps", "configMapRef"), ("secrets", "secretRef")):
            if field in source:
                found = contents(api, resource, source[field]["name"], source[field].get("optional", False))
                made |= {f"{source.get('prefix', '')}{key}": value.decode() for key, value in found.items()}
    for name, value in _declared(api, pod, container):
        made[name] = expanded(value, made)
    return made


def expanded(text: str, variables: Mapping[str, str]) -> str:
    """The text with each `$(NAME)` of a known variable filled in and each `$$` made one `$`; an unknown one stays as it is.

    https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
    """
    return REFERENCE.sub(lambda each: "$" if each.group(1) is None else variables.get(each.group(1), each.group(0)), text)


def field_of(pod: Document, path: str) -> str:
    """A field of the pod by the path of the downward API."""
    by_name = BY_NAME.fullmatch(path)
    if by_name:
        return str((pod["metadata"].get(by_name.group(1)) or {}).get(by_name.group(2), ""))
    found: Any = pod
    for step in path.split("."):
        found = found.get(step, "")
    return str(found)


def _declared(api: NodeApi, pod: Document, container: Document) -> Iterator[tuple[str, str]]:
    for each in container.get("env") or ():
        source = each.get("valueFrom", {})
        if not source:
            yield each["name"], each.get("value", "")
        elif "fieldRef" in source:
            yield each["name"], field_of(pod, source["fieldRef"]["fieldPath"])
        for resource, field in (("configmaps", "configMapKeyRef"), ("secrets", "secretKeyRef")):
            if field in source:
                wanted = source[field]
                found = contents(api, resource, wanted["name"], wanted.get("optional", False))
                if wanted["key"] in found:
                    yield each["name"], found[wanted["key"]].decode()
                elif not wanted.get("optional", False):
                    raise NotThere(f"{resource.removesuffix('s')} {wanted['name']} has no key {wanted['key']}")
