"""Any Kubernetes object as plain JSON, by its kind: what the generated clients offer for built-in kinds only."""

from typing import Any

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"


class Objects:
    """Reads and writes objects with strict field validation.

    Args:
        api_client: of the `kubernetes` package; its `ApiException` is raised.
        manager: whose fields the written ones are.
    """

    def __init__(self, api_client: Any, manager: str) -> None:
        self._client = api_client
        self._manager = manager

    def get(self, api_version: str, kind: str, namespace: str | None, name: str) -> dict[str, Any]:
        return self._ask("GET", path_of(api_version, kind, namespace, name))

    def list_all(self, api_version: str, kind: str, namespace: str) -> list[dict[str, Any]]:
        listed = self._ask("GET", path_of(api_version, kind, namespace))
        return [{"apiVersion": api_version, "kind": kind, **each} for each in listed["items"]]

    def apply(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Server-side apply; what the server made of it."""
        metadata = wanted["metadata"]
        path = path_of(wanted["apiVersion"], wanted["kind"], metadata.get("namespace"), metadata["name"])
        query = [("fieldManager", self._manager), ("force", "true"), ("fieldValidation", "Strict")]
        return self._ask("PATCH", path, wanted, APPLY, query)

    def create(self, wanted: dict[str, Any], dry_run: bool = False) -> dict[str, Any]:
        path = path_of(wanted["apiVersion"], wanted["kind"], wanted["metadata"].get("namespace"))
        query = [("fieldManager", self._manager), ("fieldValidation", "Strict"), *([("dryRun", "All")] if dry_run else [])]
        return self._ask("POST", path, wanted, JSON, query)

    def patch_status(self, found: dict[str, Any], status: dict[str, Any]) -> dict[str, Any]:
        """Put these fields into an object's status; a list is replaced as a whole."""
        metadata = found["metadata"]
        path = path_of(found["apiVersion"], found["kind"], metadata["namespace"], metadata["name"])
        content = STRATEGIC if found["kind"] == "Pod" else MERGE
        return self._ask("PATCH", f"{path}/status", {"status": status}, content, [("fieldManager", self._manager)])

    def scale(self, deployment: dict[str, Any], replicas: int) -> None:
        """Set a Deployment's replicas through its scale subresource."""
        metadata = deployment["metadata"]
        path = path_of("apps/v1", "Deployment", metadata["namespace"], metadata["name"])
        self._ask("PATCH", f"{path}/scale", {"spec": {"replicas": replicas}}, MERGE, [("fieldManager", self._manager)])

    def _ask(
        self, method: str, path: str, body: Any = None, content: str = JSON, query: list[tuple[str, str]] | None = None
    ) -> dict[str, Any]:
        headers = {"Accept": JSON, "Content-Type": content}
        answer, *_ = self._client.call_api(
            path, method, query_params=query or [], header_params=headers, body=body, auth_settings=["BearerToken"], response_type="object"
        )
        return dict(answer)


def path_of(api_version: str, kind: str, namespace: str | None, name: str | None = None) -> str:
    """The path of one object, or of all of a kind."""
    start = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
    place = f"/namespaces/{namespace}" if namespace else ""
    return f"{start}{place}/{kind.lower()}s" + (f"/{name}" if name else "")
