"""An operator's own Deployment: where it runs, in which version, and whether a pod of it is there."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from endcap.doctor.check import Outcome, gap, ok, unknown, warning
from endcap.doctor.cluster import Cluster, Document, NotAllowed

Version = tuple[int, ...]
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Operator:
    """Where an operator usually is.

    Attributes:
        project: its name for people.
        deployment: name of its Deployment, as its own manifests and charts call it.
        namespaces: looked in when the caller may not list Deployments of the whole cluster.
        container: the one whose image has the version; the first one when it is not there.
    """

    project: str
    deployment: str
    namespaces: tuple[str, ...]
    container: str = "manager"


def find(cluster: Cluster, operator: Operator, only_there: bool = False) -> Document | None:
    """Its Deployment; None when there is none of this name.

    Args:
        only_there: look in its namespaces only, where the name is one that others use too.

    Raises:
        NotAllowed: the caller may read it nowhere.
    """
    refused: NotAllowed | None = None
    if not only_there:
        try:
            found = cluster.items("/apis/apps/v1/deployments", {"fieldSelector": f"metadata.name={operator.deployment}"})
            return found[0] if found else None
        except NotAllowed as error:
            refused = error  # the usual namespaces may still be readable
    for namespace in operator.namespaces:
        try:
            one = cluster.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{operator.deployment}")
        except NotAllowed as error:
            refused = error
            continue
        if one is not None:
            return one
    if refused is not None:
        raise refused
    return None


def standing(deployment: Document | None, operator: Operator, at_least: Version = (), *, fix: str) -> Outcome:
    """Version and readiness of an operator as an outcome.

    Args:
        at_least: the oldest version that does.
        fix: what to do when it is too old.
    """
    if deployment is None:
        where = " or ".join(operator.namespaces)
        return unknown(
            f"no Deployment {operator.deployment} is found", f"look whether {operator.project} runs under another name than in {where}"
        )
    place = f"{deployment['metadata']['namespace']}/{operator.deployment}"
    text = version_text(deployment, operator.container)
    version = parse_version(text)
    if version and at_least and version < at_least:
        return gap(f"{text} ({place})", fix)
    if not deployment.get("status", {}).get("availableReplicas"):
        return warning(f"{text or 'no version'}, no pod of it is available ({place})", f"see: {_describe(deployment)}")
    if at_least and not version:
        return unknown(f"{text or 'no version'} ({place}): the version cannot be read", fix)
    return ok(f"{text or 'there'} ({place})")


def version_text(deployment: Document, container: str = "manager") -> str:
    """Its version by its label, else by its image's tag; empty when neither says one."""
    label = str(deployment["metadata"].get("labels", {}).get("app.kubernetes.io/version", ""))
    tag = _tag(_image(deployment, container))
    return label if parse_version(label) or not parse_version(tag) else tag


def parse_version(text: str) -> Version:
    """Numbers of a version such as `v0.20.0-rc0`; empty when it has none. A pre-release counts as its release."""
    found = _VERSION.match(text)
    return tuple(int(each or 0) for each in found.groups()) if found else ()


def arguments(deployment: Document) -> list[str]:
    """What the containers are started with."""
    containers: Sequence[Document] = deployment["spec"]["template"]["spec"]["containers"]
    return [str(each) for container in containers for each in (*(container.get("command") or ()), *(container.get("args") or ()))]


def _image(deployment: Document, container: str) -> str:
    containers: Sequence[Document] = deployment["spec"]["template"]["spec"]["containers"]
    named = [each for each in containers if each["name"] == container]
    return str((named or containers)[0]["image"])


def _tag(image: str) -> str:
    last = image.partition("@")[0].rpartition("/")[2]
    return last.partition(":")[2]


def _describe(deployment: Document) -> str:
    metadata = deployment["metadata"]
    return f"kubectl describe deployment {metadata['name']} --namespace {metadata['namespace']}"


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """An absent selector takes nothing, an empty one everything."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or ()
    return all(labels.get(key) == value for key, value in wanted.items()) and all(_holds(each, labels) for each in expressions)


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    match expression["operator"]:
        case "In":
            return value in expression["values"]
        case "NotIn":
            return value not in expression["values"]
        case "Exists":
            return value is not None
        case _:
            return value is None
