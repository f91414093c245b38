"""The rules of KServe's and Knative's webhooks at work in one namespace, as real webhooks of the API server.

Observed: the chart was tried with "all webhooks on with failurePolicy Fail". The API server must reach loopback of the tests' process:
that of a control plane of the tests' own does, one of KUBECONFIG does not.

Stricter than the real part: before a ServingRuntime is stored, the InferenceServices are reconciled with what is there. "It watches
ServingRuntimes itself. Helm applies the InferenceService before the ServingRuntime (custom kinds by name) ... the first time onto a mix":
the real controller makes that mix when it is quicker than Helm's next write; here it always is.
"""

import threading
from collections.abc import Callable
from typing import Any

from tests.cluster.kserve import knative_features, service_validation, storage_initializer
from tests.cluster.kserve.service_defaults import FORMAT_ANNOTATION, with_defaults
from tests.cluster.kserve.settings import KServeSettings
from tests.cluster.kserve.webhook_configurations import REGISTRATION, configurations
from tests.cluster.kserve.webhook_server import Verdict, WebhookServer
from tests.cluster.rest import Objects
from tests.waiting import until

PROBE = {
    "apiVersion": "serving.kserve.io/v1beta1",
    "kind": "InferenceService",
    "spec": {"predictor": {"model": {"modelFormat": {"name": "probe"}, "runtime": "probe", "storageUri": "pvc://probe/1"}}},
}
"""Never stored: shows by a dry run whether the API server asks the webhooks yet."""


class Webhooks:
    """Registered from `start` to `stop`.

    Args:
        api_client: of the `kubernetes` package, used by nobody else.
        namespace: the only one they are asked about.
        between_writes: called before a ServingRuntime is stored.
    """

    def __init__(self, api_client: Any, namespace: str, settings: KServeSettings, between_writes: Callable[[], None]) -> None:
        self._objects = Objects(api_client, "kserve-webhooks")
        self._asks = threading.Lock()
        self._namespace = namespace
        self._settings = settings
        self._between_writes = between_writes
        self._server = WebhookServer(
            {
                "/mutate-inferenceservices": lambda request: Verdict(changed=with_defaults(request["object"])),
                "/mutate-pods": self._with_bundle,
                "/validate-inferenceservices": _judged,
                "/validate-servingruntimes": self._reconciled_before,
                "/validate-knative-services": self._judged_by_knative,
            }
        )

    def start(self) -> None:
        """Return when the API server asks them; at once where the namespace is not there yet."""
        self._server.start()
        for each in configurations(self._server, self._namespace):
            self._objects.create(each)
        if self._namespace_exists():
            until(self._are_asked, f"webhooks of namespace {self._namespace}")

    def stop(self) -> None:
        """They are asked no more; safe after a start that failed."""
        for each in ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"):
            self._objects.delete(REGISTRATION, each, None, f"inferenceservice.serving.kserve.io-{self._namespace}")
        self._server.stop()

    def _with_bundle(self, request: dict[str, Any]) -> Verdict:
        pod = request["object"]
        try:
            security = self._settings.storage_initializer_security
            return Verdict(changed=storage_initializer.with_bundle(pod, self._finder("ServiceAccount"), self._finder("Secret"), security))
        except storage_initializer.StorageRefused as refused:
            return Verdict(refusal=str(refused))

    def _judged_by_knative(self, request: dict[str, Any]) -> Verdict:
        return Verdict(refusal=knative_features.refusal(request["object"], self._settings.knative_features))

    def _reconciled_before(self, request: dict[str, Any]) -> Verdict:
        if not request.get("dryRun"):
            self._between_writes()
        return Verdict()

    def _finder(self, kind: str) -> storage_initializer.Lookup:
        def found(name: str) -> dict[str, Any] | None:
            with self._asks:
                return self._objects.find("v1", kind, self._namespace, name)

        return found

    def _namespace_exists(self) -> bool:
        return self._objects.find("v1", "Namespace", None, self._namespace) is not None

    def _are_asked(self) -> bool:
        from kubernetes.client.rest import ApiException

        metadata = {"name": "probe", "namespace": self._namespace}
        stored = self._objects.create({**PROBE, "metadata": metadata}, dry_run=True)
        if FORMAT_ANNOTATION not in (stored["metadata"].get("annotations") or {}):
            return False
        try:
            self._objects.create({**PROBE, "metadata": {**metadata, "name": "0-refused"}}, dry_run=True)
        except ApiException as refused:
            if "denied the request" not in str(refused.body):
                raise
            return True
        return False


def _judged(request: dict[str, Any]) -> Verdict:
    return Verdict(refusal=service_validation.refusal(request["object"], request.get("oldObject")))
