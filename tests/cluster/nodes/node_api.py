"""What a node asks of the API server: pods with their status, what they mount, and tokens for their accounts."""

import threading
from typing import Any

from tests.cluster.cluster import Cluster
from tests.cluster.rest import JSON, STRATEGIC

Document = dict[str, Any]


class NodeApi:
    """One connection for all threads of a stand-in, one request at a time.

    Args:
        cluster: where.
        namespace: of all that is read and written but nodes.

    Each call raises the `ApiException` of the `kubernetes` package when it is refused, and urllib3's `HTTPError` when there is no answer.
    """

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._client = cluster.api_client()
        self._namespace = namespace
        self._lock = threading.Lock()

    @property
    def server(self) -> str:
        """Address of the API server, `https://HOST:PORT`."""
        return str(self._client.configuration.host)

    def close(self) -> None:
        self._client.close()

    def pods(self, selector: str = "") -> list[Document]:
        """Pods with these labels."""
        listed: list[Document] = self.request("GET", self._path("pods"), query=[("labelSelector", selector)])["items"]
        return listed

    def read(self, resource: str, name: str) -> Document | None:
        """An object of the core group, None where there is none."""
        from kubernetes.client.rest import ApiException

        try:
            return self.request("GET", self._path(resource, name))
        except ApiException as error:
            if error.status == 404:
                return None
            raise

    def write_status(self, pod: Document, status: Document) -> None:
        """Merge these fields into the status of exactly this pod; conditions and container statuses by their names.

        Raises:
            ApiException: with status 404 or 409 it is gone, or another has its name.
        """
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        body = {"metadata": {"uid": uid}, "status": status}
        self.request("PATCH", f"{self._path('pods', name)}/status", body, STRATEGIC)

    def delete_pod(self, pod: Document) -> None:
        """Remove exactly this pod at once, as a kubelet does when its containers have ended."""
        options = {"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"]}}
        self.request("DELETE", self._path("pods", pod["metadata"]["name"]), options)

    def token(self, pod: Document, source: Document) -> str:
        """A token of the pod's account that is bound to the pod, by `serviceAccountToken` of a projected volume."""
        bound = {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}
        audiences = [source["audience"]] if source.get("audience") else []
        spec = {"audiences": audiences, "expirationSeconds": source.get("expirationSeconds", 3600), "boundObjectRef": bound}
        path = f"{self._path('serviceaccounts', pod['spec']['serviceAccountName'])}/token"
        request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        return str(self.request("POST", path, request)["status"]["token"])

    def request(
        self, method: str, path: str, body: Any = None, content: str = JSON, query: list[tuple[str, str]] | None = None
    ) -> Document:
        """One request with a JSON body."""
        headers = {"Accept": JSON, "Content-Type": content}
        with self._lock:
            answer, *_ = self._client.call_api(
                path,
                method,
                query_params=query or [],
                header_params=headers,
                body=body,
                auth_settings=["BearerToken"],
                response_type="object",
                _request_timeout=10,
            )
        return dict(answer)

    def _path(self, resource: str, name: str = "") -> str:
        return f"/api/v1/namespaces/{self._namespace}/{resource}" + (f"/{name}" if name else "")
