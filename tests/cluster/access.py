"""What a ServiceAccount may do, as the API server answers it when the account itself asks."""

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.cluster.cluster import Cluster

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
SPECIAL = (
    ("rbac.authorization.k8s.io", "roles", "bind"),
    ("rbac.authorization.k8s.io", "roles", "escalate"),
    ("rbac.authorization.k8s.io", "clusterroles", "bind"),
    ("rbac.authorization.k8s.io", "clusterroles", "escalate"),
    ("", "serviceaccounts", "impersonate"),
    ("", "users", "impersonate"),
    ("", "groups", "impersonate"),
)
"""Verbs that the API server does not list, and that would give more rights."""
THREADS = 4
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource; a subresource is written `<resource>/<subresource>`."""

    group: str
    resource: str
    verb: str
    name: str = ""


class Account:
    """A ServiceAccount that asks with a token of its own."""

    def __init__(self, pool: Any, server: str, token: str) -> None:
        self._pool = pool
        self._server = server
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": "application/json"}

    def granted(self, asked: Iterable[Right], namespace: str) -> set[Right]:
        """Those of the rights that it has, in a namespace or, with an empty one, in all of the cluster."""
        asked = list(asked)
        with ThreadPoolExecutor(THREADS) as threads:
            answers = threads.map(lambda right: self._may(right, namespace), asked)
            return {right for right, answer in zip(asked, answers, strict=True) if answer}

    def _may(self, right: Right, namespace: str) -> bool:
        resource, _, subresource = right.resource.partition("/")
        attributes = {"group": right.group, "resource": resource, "subresource": subresource, "verb": right.verb, "name": right.name}
        review = json.dumps({"spec": {"resourceAttributes": {**attributes, "namespace": namespace}}})
        answer = self._pool.request("POST", self._server + REVIEW, body=review, headers=self._headers)
        assert answer.status == 201, answer.data
        return bool(json.loads(answer.data)["status"]["allowed"])


@contextmanager
def account(cluster: Cluster, namespace: str, name: str) -> Iterator[Account]:
    """A ServiceAccount with a token for ten minutes."""
    import urllib3
    from kubernetes import client

    with cluster.api_client() as api_client:
        request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=600))
        token = client.CoreV1Api(api_client).create_namespaced_service_account_token(name, namespace, request).status.token
        with urllib3.PoolManager(maxsize=THREADS, ca_certs=api_client.configuration.ssl_ca_cert) as pool:
            yield Account(pool, api_client.configuration.host, token)


def all_rights(api_client: Any) -> set[Right]:
    """Each verb on each resource and subresource that the API server serves."""
    headers = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
    rights = {Right(*each) for each in SPECIAL}
    for start in ("/api", "/apis"):
        found, *_ = api_client.call_api(start, "GET", header_params=headers, auth_settings=["BearerToken"], response_type="object")
        for group in found["items"]:
            name = group["metadata"].get("name", "")
            for resource in (each for version in group["versions"] for each in version.get("resources") or ()):
                below = [f"{resource['resource']}/{each['subresource']}" for each in resource.get("subresources") or ()]
                rights |= {Right(name, each, verb) for each in (resource["resource"], *below) for verb in VERBS}
    return rights
