"""Stands in for KServe's controller in one namespace, and for what is below it: Knative's routing and the kubelet.

From each InferenceService it makes the objects that the real controller makes (`kserve_pod`, `kserve_objects`) and sets the status as the
0.20 line does. Deployments are rolled by the real Deployment controller; a pod becomes ready when the test lets it. As with the real one:

- `status.observedGeneration` is the Deployment's or Knative Service's, not the InferenceService's own generation;
- in Standard mode `canaryTrafficPercent` is ignored without a word, and `Ready` and `modelStatus` stay good while new pods start;
- what the API server refuses ends up in the condition `PredictorReady`, reason `ReconcileFailed`.

Left out: webhooks (validation, defaults other than a model's resources), a transformer of its own, ingress, pods' storage initializer.
"""

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from tests.cluster.kserve import fixed_replicas
from tests.cluster.kserve.autoscaler import Autoscaler
from tests.cluster.kserve_objects import STANDARD, autoscaler_class, deployment_mode, knative_service, standard_objects
from tests.cluster.kserve_pod import Refused, predictor_pod
from tests.cluster.kserve_status import failed_status, knative_status, routed, standard_status
from tests.cluster.rest import Objects

INTERVAL_S = 0.2
KSERVE = "serving.kserve.io/v1beta1"
RUNTIMES = "serving.kserve.io/v1alpha1"
PASSING = (404, 409, 429, 500, 503)
"""Answers of the API server that the next look may not get: something was deleted or written meanwhile, or it starts up or shuts down."""
UNTYPED = "failed to create typed patch object"
"""With it server-side apply refuses what no object of the kind can be, such as two containers of one name, as its own error."""
SERVICE_LABEL = "serving.kserve.io/inferenceservice"


class Start(Enum):
    """What becomes of new pods and revisions of an InferenceService."""

    AT_ONCE = auto()
    HELD = auto()
    FAILS = auto()
    LOST = auto()
    """Old ones lose their readiness too."""


class KServeStandIn:
    """Reconciles in a thread of its own between `start` and `stop`; goes on when the API server comes back.

    Args:
        api_client: of the `kubernetes` package, used by nobody else.
        namespace: the only one it looks at.
        runs_pods: plays the kubelet, too: sets pods' readiness. Without it somebody else must.
    """

    def __init__(self, api_client: Any, namespace: str, *, runs_pods: bool = True) -> None:
        self._objects = Objects(api_client, "kserve-stand-in")
        self._scales = Objects(api_client, fixed_replicas.MANAGER)
        self._autoscaler = Autoscaler(api_client, namespace)
        self._namespace = namespace
        self._runs_pods = runs_pods
        self._starts: dict[str, Start] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kserve-stand-in", daemon=True)
        self._failure: BaseException | None = None

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Raises what went wrong in its thread, if anything did."""
        self._stopped.set()
        self._thread.join(30)
        if self._failure is not None:
            raise self._failure

    def hold(self, name: str) -> None:
        """New pods or revisions of this InferenceService do not become ready; those that are stay so."""
        self._starts[name] = Start.HELD

    def release(self, name: str) -> None:
        """All become ready."""
        self._starts[name] = Start.AT_ONCE

    def fail(self, name: str) -> None:
        """New pods or revisions fail to load their model; those that are ready stay so."""
        self._starts[name] = Start.FAILS

    def lose(self, name: str) -> None:
        """None is ready any more."""
        self._starts[name] = Start.LOST

    def reconcile(self) -> None:
        """Look at every InferenceService once, then at every autoscaler."""
        for service in self._objects.list_all(KSERVE, "InferenceService", self._namespace):
            if "deletionTimestamp" not in service["metadata"]:
                self._reconcile(service)
        self._autoscaler.scale()

    def _run(self) -> None:
        from kubernetes.client.rest import ApiException
        from urllib3.exceptions import HTTPError

        while not self._stopped.is_set():
            try:
                with contextlib.suppress(HTTPError):  # the API server is away: the next look may find it
                    self.reconcile()
            except ApiException as refused:
                if refused.status not in PASSING:
                    self._failure = refused
                    return
            except Exception as error:
                self._failure = error
                return
            self._stopped.wait(INTERVAL_S)

    def _reconcile(self, service: dict[str, Any]) -> None:
        from kubernetes.client.rest import ApiException

        mode = deployment_mode(service)
        try:
            pod = predictor_pod(service, self._runtime(service["spec"]["predictor"]["model"]["runtime"]))
            if mode == STANDARD:
                replicas = fixed_replicas.fixed_replicas(service, autoscaler_class(pod))
                status = self._standard(service, standard_objects(service, pod), replicas)
            else:
                status = self._knative(service, knative_service(service, pod, _component(service)))
        except Refused as refused:
            status = failed_status(str(refused))
        except ApiException as refused:
            message = str(json.loads(refused.body)["message"])
            if refused.status not in (400, 422) and UNTYPED not in message:
                raise
            status = failed_status(message)
        self._write_status(service, {**status, "deploymentMode": mode})

    def _runtime(self, name: str) -> dict[str, Any]:
        from kubernetes.client.rest import ApiException

        for kind, namespace in (("ServingRuntime", self._namespace), ("ClusterServingRuntime", None)):
            try:
                return self._objects.get(RUNTIMES, kind, namespace, name)
            except ApiException as missing:
                if missing.status != 404:
                    raise
        raise Refused(f"Waiting for runtime {name} to become available")

    def _standard(self, service: dict[str, Any], wanted: Iterable[dict[str, Any]], replicas: int | None) -> dict[str, Any]:
        made = [self._objects.apply(each) for each in wanted]
        fixed_replicas.set_replicas(self._scales, made[0], replicas)
        pods = self._objects.list_all("v1", "Pod", self._namespace)
        own = [each for each in pods if each["metadata"].get("labels", {}).get(SERVICE_LABEL) == service["metadata"]["name"]]
        start = self._start_of(service)
        if self._runs_pods:
            for pod in own:
                self._set_readiness(pod, start)
        return standard_status(service, made[0], len(own), failed=start is Start.FAILS)

    def _set_readiness(self, pod: dict[str, Any], start: Start) -> None:
        conditions = {each["type"]: each["status"] for each in pod.get("status", {}).get("conditions") or ()}
        is_ready = conditions.get("Ready") == "True"
        wanted = is_ready if start in (Start.HELD, Start.FAILS) else start is Start.AT_ONCE
        if wanted == is_ready or "deletionTimestamp" in pod["metadata"]:
            return
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions_wanted = [
            {"type": each, "status": str(wanted), "lastTransitionTime": moment} for each in ("Initialized", "ContainersReady", "Ready")
        ]
        self._objects.patch_status({**pod, "apiVersion": "v1", "kind": "Pod"}, {"phase": "Running", "conditions": conditions_wanted})

    def _knative(self, service: dict[str, Any], wanted: dict[str, Any]) -> dict[str, Any]:
        made = self._objects.apply(wanted)
        template = hashlib.sha256(json.dumps(wanted["spec"]["template"], sort_keys=True).encode()).hexdigest()
        start = self._start_of(service)
        route = routed(made, template, ready=start is Start.AT_ONCE, lost=start is Start.LOST, failed=start is Start.FAILS)
        if {key: value for key, value in made.get("status", {}).items() if key in route} != route:
            self._objects.patch_status(made, route)
        return knative_status(service, route)

    def _start_of(self, service: dict[str, Any]) -> Start:
        return self._starts.get(service["metadata"]["name"], Start.AT_ONCE)

    def _write_status(self, service: dict[str, Any], status: dict[str, Any]) -> None:
        present = service.get("status", {})
        if any(_without_times(present.get(field)) != _without_times(value) for field, value in status.items()):
            self._objects.patch_status(service, status)


def _component(service: dict[str, Any]) -> dict[str, Any]:
    return dict(service.get("status", {}).get("components", {}).get("predictor", {}))


def _without_times(value: Any) -> Any:
    if isinstance(value, list):
        return sorted((_without_times(each) for each in value), key=str)
    if isinstance(value, dict):
        return {key: _without_times(each) for key, each in value.items() if key != "lastTransitionTime"}
    return value
