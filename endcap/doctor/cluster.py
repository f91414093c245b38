"""A cluster as the doctor reads it: documents by their path, and questions about rights. It changes nothing."""

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endcap.core.errors import DependencyUnavailable, EndcapError

TIMEOUTS_S = (3.0, 8.0)
"""To connect, and to wait for an answer."""
REQUESTS_AT_ONCE = 8
Document = dict[str, Any]


class NotAllowed(EndcapError):
    """The caller has no right to read this."""


@dataclass(frozen=True, order=True)
class Right:
    """One verb on one resource; a subresource is written `<resource>/<subresource>`, an empty namespace is all of the cluster."""

    verb: str
    group: str
    resource: str
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        place = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {self.resource}{'.' if self.group else ''}{self.group}{f'/{self.name}' if self.name else ''}{place}"


class Cluster:
    """Reads one cluster from any number of threads.

    Args:
        api_client: of the `kubernetes` package.

    Raises:
        NotAllowed: by its methods, when the caller may not read what is wanted.
        DependencyUnavailable: by its methods, when the API server does not answer.
    """

    def __init__(self, api_client: Any) -> None:
        self._client = api_client
        self._slots = threading.BoundedSemaphore(REQUESTS_AT_ONCE)
        self._read: dict[tuple[str, str], Document | None] = {}

    def get(self, path: str, query: Mapping[str, str] | None = None) -> Document | None:
        """A document, read once; None when there is no such object or no such kind."""
        key = (path, json.dumps(dict(query or {}), sort_keys=True))
        if key not in self._read:
            self._read[key] = self._call("GET", path, query=query)
        return self._read[key]

    def items(self, path: str, query: Mapping[str, str] | None = None) -> list[Document]:
        """The objects of a list; none when there is no such kind."""
        listed = self.get(path, query)
        return list(listed["items"]) if listed else []

    def version(self) -> str:
        """Of the API server, for example `v1.30.2`."""
        return str((self.get("/version") or {}).get("gitVersion", ""))

    def may(self, right: Right) -> bool:
        """Whether the caller has a right."""
        return self._reviewed("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"resourceAttributes": _attributes(right)})

    def may_account(self, namespace: str, account: str, right: Right) -> bool:
        """Whether a service account has a right in the right's namespace: by a review of it, else as the account itself.

        Raises:
            NotAllowed: the caller may do neither.
        """
        user = f"system:serviceaccount:{namespace}:{account}"
        groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
        place = f"/apis/authorization.k8s.io/v1/namespaces/{right.namespace}/localsubjectaccessreviews"
        attributes = {"resourceAttributes": _attributes(right)}
        try:
            return self._reviewed(place, {**attributes, "user": user, "groups": groups}, right.namespace)
        except NotAllowed:
            return self._reviewed("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", attributes, headers={"Impersonate-User": user})

    def _reviewed(self, path: str, spec: Document, namespace: str = "", headers: Mapping[str, str] | None = None) -> bool:
        body = {"spec": spec, **({"metadata": {"namespace": namespace}} if namespace else {})}
        answer = self._call("POST", path, body=body, headers=headers)
        if answer is None:
            raise DependencyUnavailable("the API server does not answer questions about rights", field=path)
        return bool(answer["status"]["allowed"])

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Document | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Document | None:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        sent = {"Accept": "application/json", "Content-Type": "application/json", **(headers or {})}
        try:
            with self._slots:
                answer, *_ = self._client.call_api(
                    path,
                    method,
                    query_params=list((query or {}).items()),
                    header_params=sent,
                    body=body,
                    auth_settings=["BearerToken"],
                    response_type="object",
                    _request_timeout=TIMEOUTS_S,
                )
            return dict(answer)
        except ApiException as error:
            if error.status == 404:
                return None
            raise _refusal(path, error) from error
        except (HTTPError, OSError) as error:
            raise DependencyUnavailable(f"the API server does not answer: {error}", field=path, fix="check the kubeconfig") from error


def open_cluster() -> Cluster:
    """The cluster of the pod, else of the kubeconfig.

    Raises:
        DependencyUnavailable: there is neither, or the part that talks to clusters is not installed.
    """
    import os

    try:
        from kubernetes import client, config
        from kubernetes.config.config_exception import ConfigException
    except ModuleNotFoundError as error:
        raise DependencyUnavailable("no client for clusters is installed", value=str(error), fix='pip install "endcap[doctor]"') from error

    configuration = client.Configuration()
    configuration.retries = 0
    try:
        config.load_incluster_config(client_configuration=configuration)
    except ConfigException:
        file = os.environ.get("KUBECONFIG")  # the package reads it once, when it is imported
        try:
            config.load_kube_config(file, client_configuration=configuration)
        except (ConfigException, OSError) as error:
            fix = "point KUBECONFIG at a kubeconfig, or run in a pod"
            raise DependencyUnavailable(f"there is no cluster to talk to: {error}", field="KUBECONFIG", fix=fix) from error
    if configuration.ssl_ca_cert and not Path(configuration.ssl_ca_cert).is_file():
        raise DependencyUnavailable("the certificate authority is not there", field="KUBECONFIG", value=configuration.ssl_ca_cert)
    return Cluster(client.ApiClient(configuration))


def _attributes(right: Right) -> Document:
    resource, _, subresource = right.resource.partition("/")
    return {
        "verb": right.verb,
        "group": right.group,
        "resource": resource,
        "subresource": subresource,
        "namespace": right.namespace,
        "name": right.name,
    }


def _refusal(path: str, error: Any) -> EndcapError:
    try:
        message = str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        message = str(error.reason)
    if error.status == 403:
        return NotAllowed(message)
    if error.status == 401:
        return DependencyUnavailable("the API server does not know the caller", field=path, fix="log in again, or check the kubeconfig")
    return DependencyUnavailable(f"the API server answers {error.status}: {message}", field=path)
