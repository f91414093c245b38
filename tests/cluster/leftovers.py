"""Everything there is in a namespace or in no namespace, by walking all resources that the API server serves."""

import re
from typing import Any

ALWAYS_THERE = {"serviceaccounts/default", "configmaps/kube-root-ca.crt"}
COMES_AND_GOES = {"events", "events.events.k8s.io"}
NOT_OURS = {
    "apiservices.apiregistration.k8s.io",
    "componentstatuses",
    "ipaddresses.networking.k8s.io",
    "leases.coordination.k8s.io",
    "namespaces",
}
"""Resources without a namespace that change by themselves, or with other tests."""


class Inventory:
    """Lists objects as `<resource>[.<group>]/<name>`.

    Args:
        api_client: of the `kubernetes` package.
    """

    def __init__(self, api_client: Any) -> None:
        self._client = api_client

    def of_namespace(self, namespace: str) -> set[str]:
        """All objects in a namespace but those that every namespace has, and events."""
        found = set()
        for name, path in self._listable(namespaced=True):
            if name not in COMES_AND_GOES:
                found |= {f"{name}/{each}" for each in self._names(re.sub(r"/([^/]+)$", rf"/namespaces/{namespace}/\1", path))}
        return found - ALWAYS_THERE

    def of_cluster(self) -> set[str]:
        """All objects without a namespace that do not change by themselves."""
        found = set()
        for name, path in self._listable(namespaced=False):
            if name not in NOT_OURS:
                found |= {f"{name}/{each}" for each in self._names(path)}
        return found

    def _listable(self, namespaced: bool) -> list[tuple[str, str]]:
        listable = {}
        for start in ("/api", "/apis"):
            for group in self._get(start, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")["items"]:
                group_name = group["metadata"].get("name", "")
                version = group["versions"][0]
                base = f"/apis/{group_name}/{version['version']}" if group_name else f"/api/{version['version']}"
                for resource in version.get("resources") or ():
                    if "list" in resource["verbs"] and (resource["scope"] == "Namespaced") == namespaced:
                        name = resource["resource"]
                        listable[f"{name}.{group_name}" if group_name else name] = f"{base}/{name}"
        return sorted(listable.items())

    def _names(self, path: str) -> list[str]:
        from kubernetes.client.rest import ApiException

        accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
        try:
            return [each["metadata"]["name"] for each in self._get(path, accept)["items"] or ()]
        except ApiException as gone:
            if gone.status != 404:  # its definition has just been deleted
                raise
            return []

    def _get(self, path: str, accept: str) -> dict[str, Any]:
        answer, *_ = self._client.call_api(
            path, "GET", header_params={"Accept": accept}, auth_settings=["BearerToken"], response_type="object"
        )
        return dict(answer)
