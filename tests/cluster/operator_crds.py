"""The definitions of the operators whose resources endcap writes, put into a cluster that lacks them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.command import Command
from tests.cluster.permissive_crds import DEFINITIONS
from tests.waiting import until

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "crds"
"""The operators' own definitions. A clone that has none beside it is tested with permissive ones."""
NEEDED = tuple(each.name for each in DEFINITIONS)
ESTABLISH_TIMEOUT_S = 120.0


def served(api_client: Any) -> set[str]:
    """Resources that the cluster answers for, as `<plural>.<group>`."""
    headers = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    found, *_ = api_client.call_api("/apis", "GET", header_params=headers, auth_settings=["BearerToken"], response_type="object")
    return {
        f"{resource['resource']}.{group['metadata']['name']}"
        for group in found["items"]
        for version in group["versions"]
        for resource in version.get("resources", [])
    }


@dataclass(frozen=True)
class Missing:
    """What a cluster lacks.

    Attributes:
        definitions: CustomResourceDefinitions to create, by name.
        permissive: those of them that take any field, because the operators' own are not to be had.
    """

    definitions: dict[str, dict[str, Any]]
    permissive: frozenset[str]


def find_missing(api_client: Any, folder: Path) -> Missing:
    """Definitions that the cluster does not have: the operators' own from a folder of files `*/<name>.json`, else permissive ones."""
    files = {path.stem: path for path in folder.glob("*/*.json")}
    missing = sorted(set(NEEDED) - served(api_client))
    permissive = {each.name: each.content() for each in DEFINITIONS if each.name in missing and each.name not in files}
    own = {name: json.loads(files[name].read_text(encoding="utf-8")) for name in missing if name in files}
    return Missing({**own, **permissive}, frozenset(permissive))


def add(api_client: Any, kubectl: Command, wanted: dict[str, dict[str, Any]]) -> None:
    """Create definitions, and wait until their resources can be asked for."""
    if wanted:
        content = {"apiVersion": "v1", "kind": "List", "items": list(wanted.values())}
        kubectl("create", "--filename=-", stdin=json.dumps(content))
        until(lambda: set(wanted) <= served(api_client), "resources of the operators", ESTABLISH_TIMEOUT_S)


def remove(kubectl: Command, names: list[str]) -> None:
    """Delete definitions, and with them all of their resources."""
    if names:
        kubectl("delete", *(f"customresourcedefinition/{name}" for name in names))
