"""A pod's volumes as folders of this machine."""

import re
from collections.abc import Mapping
from pathlib import Path

from tests.cluster.nodes.container_environment import NotThere, contents, field_of
from tests.cluster.nodes.node_api import Document, NodeApi

ACCOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where the API server's admission mounts the token of each pod that does not say `automountServiceAccountToken: false`."""


class PodVolumes:
    """Writes the volumes when it is made.

    ConfigMaps, Secrets, projected volumes (with tokens by TokenRequest, bound to the pod) and the downward API become files; `emptyDir` and
    everything else becomes an empty folder. A claim has one folder for all pods.

    Args:
        folder: of this pod.
        claims: folder of each PersistentVolumeClaim that is to have a given one, by name.
        claims_folder: holds those of the other claims.

    Raises:
        NotThere: an object that a volume needs is missing.
    """

    def __init__(self, api: NodeApi, pod: Document, folder: Path, claims: Mapping[str, Path], claims_folder: Path) -> None:
        self._api = api
        self._pod = pod
        self._folders: dict[str, Path] = {}
        for volume in pod["spec"].get("volumes") or ():
            claim = volume.get("persistentVolumeClaim", {}).get("claimName")
            place = claims.get(claim, claims_folder / claim) if claim else folder / volume["name"]
            place.mkdir(parents=True, exist_ok=True)
            self._folders[volume["name"]] = place
            for path, content in self._files(volume).items():
                file = place / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)

    def mounts(self, container: Document) -> dict[str, Path]:
        """Where on this machine each `mountPath` of a container is."""
        mounted = {}
        for each in container.get("volumeMounts") or ():
            place = self._folders[each["name"]] / each.get("subPath", "")
            if not place.exists():
                place.mkdir(parents=True)
            mounted[each["mountPath"].rstrip("/")] = place
        return mounted

    def _files(self, volume: Document) -> dict[str, bytes]:
        if "projected" not in volume:
            return self._source(volume)
        return {path: content for source in volume["projected"]["sources"] for path, content in self._source(source).items()}

    def _source(self, source: Document) -> dict[str, bytes]:
        if "serviceAccountToken" in source:
            return {source["serviceAccountToken"]["path"]: self._api.token(self._pod, source["serviceAccountToken"]).encode()}
        if "downwardAPI" in source:
            items = source["downwardAPI"].get("items") or ()
            return {each["path"]: field_of(self._pod, each["fieldRef"]["fieldPath"]).encode() for each in items if "fieldRef" in each}
        for resource, field in (("configmaps", "configMap"), ("secrets", "secret")):
            if field in source:
                wanted = source[field]
                name = wanted.get("name") or wanted["secretName"]
                return _selected(contents(self._api, resource, name, wanted.get("optional", False)), wanted, name)
        return {}


def relocated(text: str, mounts: Mapping[str, Path]) -> str:
    """The text with each path at or below a mount made the one of this machine; the longest mount that fits counts."""
    if not mounts:
        return text
    longest_first = sorted(mounts, key=len, reverse=True)
    found = re.compile(rf"(?<![\w./-])({'|'.join(map(re.escape, longest_first))})(?![\w.-])")
    return found.sub(lambda each: str(mounts[each.group(1)]), text)


def _selected(found: dict[str, bytes], wanted: Document, name: str) -> dict[str, bytes]:
    items = wanted.get("items")
    if items is None:
        return found
    missing = [each["key"] for each in items if each["key"] not in found]
    if missing and not wanted.get("optional", False):
        raise NotThere(f"{name} has no key {', '.join(missing)}")
    return {each["path"]: found[each["key"]] for each in items if each["key"] in found}
