"""Stands in for Argo CD's sync of one Application: which live values it takes into what it applies, and how it applies.

Each rule as in Argo CD's own code (its main branch, 2026):

- The chart is rendered without a cluster (`helm template`), hooks of `helm test` left out.
- An object that is not there is applied as rendered (`controller/sync.go`, `normalizeTargetResources`).
- `ignoreDifferences` with `managedFieldsManagers`: of each field that one of these managers owns and that differs between live and
  rendered, the live value is taken (`util/argo/managedfields`, `Normalize`; then the merge patch of `normalizeTargetResources`), and only
  with the sync option RespectIgnoreDifferences. A list that its definition calls atomic is one field. A field that only one of the two
  has is left alone.
- ServerSideApply: `kubectl apply --server-side --force-conflicts --field-manager=argocd-controller` (gitops-engine, `pkg/utils/kube`).

Kinder than the real one: a sync reads long before it writes, here nothing comes in between. Stricter: each sync applies every object, with
ApplyOutOfSyncOnly too. Other ways to ignore (`jsonPointers`, `jqPathExpressions`) are refused, since nothing documented uses them.
"""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from tests.cluster.command import Command

MANAGER = "argocd-controller"
Path = tuple[str, ...]


class ArgoCd:
    """Args:
    kubectl: of the cluster.
    namespace: the Application's destination.
    application: the Application, of which `ignoreDifferences` and `syncOptions` are read.
    """

    def __init__(self, kubectl: Command, namespace: str, application: Mapping[str, Any]) -> None:
        self._kubectl = kubectl
        self._namespace = namespace
        options = application["spec"]["syncPolicy"]["syncOptions"]
        if "ServerSideApply=true" not in options:
            raise ValueError("stands in for server-side apply only")
        self._rules = application["spec"].get("ignoreDifferences", []) if "RespectIgnoreDifferences=true" in options else []
        for rule in self._rules:
            if set(rule) - {"group", "kind", "managedFieldsManagers"}:
                raise ValueError(f"stands in for managedFieldsManagers only: {rule}")

    def sync(self, rendered: list[dict[str, Any]]) -> None:
        """Apply all objects once."""
        wanted = [self._with_live_values(each) for each in rendered]
        arguments = ("--server-side", "--force-conflicts", f"--field-manager={MANAGER}", "--namespace", self._namespace)
        self._kubectl("apply", *arguments, "-f", "-", stdin=yaml.safe_dump_all(wanted))

    def _with_live_values(self, target: dict[str, Any]) -> dict[str, Any]:
        group, _, _ = target["apiVersion"].rpartition("/")
        managers = {
            name
            for rule in self._rules
            if (rule["group"], rule["kind"]) == (group, target["kind"])
            for name in rule["managedFieldsManagers"]
        }
        if not managers:
            return target
        kind = f"{target['kind'].lower()}.{group}"
        arguments = (kind, target["metadata"]["name"], "--namespace", self._namespace, "--ignore-not-found", "--show-managed-fields")
        found = self._kubectl("get", *arguments, "-o", "json")
        return with_live_values(target, json.loads(found), managers) if found else target


def with_live_values(target: dict[str, Any], live: Mapping[str, Any], managers: set[str]) -> dict[str, Any]:
    """What is applied: the target, with the live values of fields that the managers own."""
    taken = copy.deepcopy(target)
    for path in owned_fields(live, managers):
        ours, theirs = _value(target, path), _value(live, path)
        if ours is not None and theirs is not None and ours != theirs:
            _value(taken, path[:-1])[path[-1]] = copy.deepcopy(theirs)
    return taken


def owned_fields(live: Mapping[str, Any], managers: set[str]) -> set[Path]:
    """Paths of the fields that the managers own, as far as no list is on the way."""
    entries = [each for each in live["metadata"].get("managedFields", []) if each["manager"] in managers]
    return {path for each in entries for path in _leaves(each["fieldsV1"])}


def _leaves(fields: Mapping[str, Any], above: Path = ()) -> Iterator[Path]:
    for key, inner in fields.items():
        if key.startswith("f:"):
            path = (*above, key.removeprefix("f:"))
            if inner:
                yield from _leaves(inner, path)
            else:
                yield path


def _value(document: Any, path: Path) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document
