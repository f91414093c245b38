"""The API server as rollouts use it: objects as plain documents, one namespace, and errors that say what to do."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endcap.contracts.rollout import GROUP, PLURAL, VERSION
from endcap.core.errors import DependencyUnavailable, EndcapError, InvalidInput
from endcap.core.settings import Settings
from endcap.release.rollout.admission import Refused, is_refusal

POD_NAMESPACE_FILE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
TIMEOUTS_S = (3.0, 10.0)
"""To connect, and to wait for an answer."""
FAILED_TEST = "the server rejected our request due to an error in our request"
"""What the API server says of a JSON patch whose `test` fails, with the status of an invalid object."""
FIELD_MANAGER = "endcap-rollout"


@dataclass(frozen=True)
class Kind:
    """A kind of object by the names in its address."""

    group: str
    version: str
    plural: str


ROLLOUTS = Kind(GROUP, VERSION, PLURAL)
INFERENCE_SERVICES = Kind("serving.kserve.io", "v1beta1", "inferenceservices")
HTTP_ROUTES = Kind("gateway.networking.k8s.io", "v1", "httproutes")
DEPLOYMENTS = Kind("apps", "v1", "deployments")
KNATIVE_SERVICES = Kind("serving.knative.dev", "v1", "services")


class Conflict(EndcapError):
    """Somebody else changed the object since it was read, or made one of the same name: read it again."""


class ApiServer:
    """One namespace of it.

    Args:
        api_client: of the `kubernetes` package.
        namespace: all objects are in this one.
    """

    def __init__(self, api_client: Any, namespace: str) -> None:
        from kubernetes import client

        self.namespace = namespace
        self._api_client = api_client
        self._objects = client.CustomObjectsApi(api_client)
        self._core = client.CoreV1Api(api_client)

    def get(self, kind: Kind, name: str) -> dict[str, Any] | None:
        """An object, or None when there is no such object or no such kind."""
        answer = self._call(f"get {kind.plural}/{name}", self._objects.get_namespaced_custom_object, *self._where(kind), name, missing=None)
        return dict(answer) if answer is not None else None

    def list(self, kind: Kind) -> list[dict[str, Any]]:
        answer = self._call(f"list {kind.plural}", self._objects.list_namespaced_custom_object, *self._where(kind))
        return list(answer["items"])

    def create(self, kind: Kind, document: Mapping[str, Any]) -> dict[str, Any]:
        """Raises:
        Conflict: there is one of this name.
        """
        name = document["metadata"]["name"]
        create = self._objects.create_namespaced_custom_object
        return dict(self._call(f"create {kind.plural}/{name}", create, *self._where(kind), dict(document), field_manager=FIELD_MANAGER))

    def merge(self, kind: Kind, name: str, patch: Mapping[str, Any], resource_version: str | None = None) -> dict[str, Any]:
        """Merge a patch into an object.

        Raises:
            Conflict: the object is no longer what it was at `resource_version`.
        """
        body = _at(patch, resource_version)
        change = self._objects.patch_namespaced_custom_object
        return dict(self._call(f"patch {kind.plural}/{name}", change, *self._where(kind), name, body, field_manager=FIELD_MANAGER))

    def pods_with(self, label: str, value: str) -> Sequence[Mapping[str, Any]]:
        """Pods with a label of this value."""
        answer = self._call("list pods", self._core.list_namespaced_pod, self.namespace, label_selector=f"{label}={value}")
        return [dict(self._api_client.sanitize_for_serialization(each)) for each in answer.items]

    def patch(self, kind: Kind, name: str, operations: Sequence[Mapping[str, Any]], manager: str = FIELD_MANAGER) -> dict[str, Any]:
        """Apply a JSON patch; its `test` operations say what must still be as it was read, and the rest of the object may change.

        Args:
            manager: whose the changed fields are.

        Raises:
            Conflict: a test fails.
        """
        path = f"/apis/{kind.group}/{kind.version}/namespaces/{self.namespace}/{kind.plural}/{name}"
        return dict(self._call(f"patch {kind.plural}/{name}", self._json_patch, path, list(operations), manager))

    def disown(self, kind: Kind, document: Mapping[str, Any], manager: str = FIELD_MANAGER) -> dict[str, Any]:
        """Give up what a manager wrote into an object, so that its next server-side apply by another one meets no conflict.

        Raises:
            Conflict: the object is no longer what was read.
        """
        metadata = document["metadata"]
        others = [each for each in metadata.get("managedFields", ()) if each.get("manager") != manager]
        operations = [
            {"op": "test", "path": "/metadata/resourceVersion", "value": metadata["resourceVersion"]},
            {"op": "add", "path": "/metadata/managedFields", "value": others or [{}]},  # an empty list would change nothing
        ]
        return self.patch(kind, metadata["name"], operations, manager)

    def merge_status(self, kind: Kind, name: str, status: Mapping[str, Any], resource_version: str) -> dict[str, Any]:
        """As `merge`, for the status."""
        body = _at({"status": status}, resource_version)
        change = self._objects.patch_namespaced_custom_object_status
        return dict(self._call(f"patch {kind.plural}/{name}/status", change, *self._where(kind), name, body, field_manager=FIELD_MANAGER))

    def delete(self, kind: Kind, name: str, uid: str | None = None) -> None:
        """Delete an object, if it still is the one with this uid; one that is gone is no error."""
        body = {"preconditions": {"uid": uid}} if uid is not None else {}
        delete = self._objects.delete_namespaced_custom_object
        self._call(f"delete {kind.plural}/{name}", delete, *self._where(kind), name, body=body, missing=None)

    def config_map(self, name: str) -> dict[str, str] | None:
        """What a ConfigMap holds; None when there is none of this name."""
        found = self._call(f"get configmaps/{name}", self._core.read_namespaced_config_map, name, self.namespace, missing=None)
        return dict(found.data or {}) if found is not None else None

    def merge_config_map(self, name: str, data: Mapping[str, str]) -> None:
        """Merge keys into a ConfigMap that is there."""
        change = self._core.patch_namespaced_config_map
        self._call(f"patch configmaps/{name}", change, name, self.namespace, {"data": dict(data)}, field_manager=FIELD_MANAGER)

    def create_event(self, event: Mapping[str, Any]) -> None:
        """Raises:
        Conflict: this event was recorded before.
        """
        self._call("create events", self._core.create_namespaced_event, self.namespace, dict(event))

    def _json_patch(self, path: str, operations: Sequence[Mapping[str, Any]], manager: str, _request_timeout: Any) -> Any:
        """The generated client sends merge patches only."""
        headers = {"Accept": "application/json", "Content-Type": "application/json-patch+json"}
        answer, *_ = self._api_client.call_api(
            path,
            "PATCH",
            query_params=[("fieldManager", manager)],
            header_params=headers,
            body=operations,
            response_type="object",
            auth_settings=["BearerToken"],
            _request_timeout=_request_timeout,
        )
        return answer

    def _where(self, kind: Kind) -> tuple[str, str, str, str]:
        return kind.group, kind.version, self.namespace, kind.plural

    def _call(self, what: str, function: Any, *arguments: Any, **options: Any) -> Any:
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        is_optional = "missing" in options
        options.pop("missing", None)
        try:
            return function(*arguments, **options, _request_timeout=TIMEOUTS_S)
        except ApiException as error:
            if error.status == 404 and is_optional:
                return None
            raise _as_error(what, error, self.namespace) from error
        except (HTTPError, OSError) as error:
            field = what.partition(" ")[2]
            raise DependencyUnavailable(f"the API server does not answer: {error}", field=field, fix="check the kubeconfig") from error


def open_api_server(settings: Settings) -> ApiServer:
    """The API server of the pod, else of the kubeconfig.

    Raises:
        DependencyUnavailable: there is neither.
    """
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)
        namespace = POD_NAMESPACE_FILE.read_text(encoding="utf-8").strip() if POD_NAMESPACE_FILE.exists() else "default"
    except ConfigException:
        try:
            file = os.environ.get("KUBECONFIG")  # the package reads it once, when it is imported
            config.load_kube_config(file, client_configuration=configuration)
            _, active = config.list_kube_config_contexts(file)
        except (ConfigException, OSError) as error:
            raise DependencyUnavailable(
                f"there is no cluster to talk to: {error}", field="KUBECONFIG", fix="point KUBECONFIG at a kubeconfig, or run in a pod"
            ) from error
        namespace = active["context"].get("namespace", "default")
    return ApiServer(client.ApiClient(configuration), settings.rollouts.namespace or namespace)


def _at(patch: Mapping[str, Any], resource_version: str | None) -> dict[str, Any]:
    if resource_version is None:
        return dict(patch)
    return {**patch, "metadata": {**patch.get("metadata", {}), "resourceVersion": resource_version}}


def _as_error(what: str, error: Any, namespace: str) -> EndcapError:
    """An answer of the API server to a verb on an object, as an error of ours."""
    message, field = _message(error), what.partition(" ")[2]
    is_failed_test = error.status == 422 and message.startswith(FAILED_TEST)
    if error.status == 409 or is_failed_test:
        return Conflict(f"changed by somebody else meanwhile: {message}", field=field)
    if error.status == 404:
        return InvalidInput(f"there is no such object: {message}", field=f"{namespace}/{field}")
    if is_refusal(error.status, message):
        return Refused(what, message, namespace)
    return DependencyUnavailable(f"the API server answers {error.status}: {message}", field=field)


def _message(error: Any) -> str:
    import json

    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return str(error.reason)
