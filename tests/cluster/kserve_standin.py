"""Stands in for KServe's controller in one namespace, and for what is below it: autoscalers, Knative's routing and the kubelet.

From each InferenceService it makes the objects that the real controller makes (`kserve_pod`, `kserve_objects`) and sets the status as the
0.20 line does (`kserve_status`). Each rule with the observation that it rests on is a file of `tests/cluster/kserve`; decision 0021 lists
them and where the stand-in differs. Deployments are rolled by the real Deployment controller; a pod becomes ready when the test lets it.
With the real one it shares that:

- `status.observedGeneration` is the Deployment's or Knative Service's, not the InferenceService's own generation;
- in Standard mode `canaryTrafficPercent` is ignored without a word;
- what the API server refuses ends up in the condition `PredictorReady`, reason `ReconcileFailed`.
"""

import contextlib
import hashlib
import json
import threading
import time
from datetime import UTC, datetime
from enum import Enum, auto
from typing import Any

from tests.cluster.kserve import fixed_replicas
from tests.cluster.kserve.applied import Applied
from tests.cluster.kserve.autoscaler import Autoscaler
from tests.cluster.kserve.model_load import crashed
from tests.cluster.kserve.name_limits import host_refusal
from tests.cluster.kserve.rollout_restart import undo_restart
from tests.cluster.kserve.route_takeover import is_cluster_local, make_routes
from tests.cluster.kserve.runtime_selection import InvalidSpec, chosen_runtime
from tests.cluster.kserve.settings import KServeSettings
from tests.cluster.kserve.warning_events import record
from tests.cluster.kserve.webhooks import Webhooks
from tests.cluster.kserve_objects import STANDARD, autoscaler_class, deployment_mode, knative_service, owned, standard_objects
from tests.cluster.kserve_pod import PredictorPod, Refused, predictor_pod
from tests.cluster.kserve_status import FAILED_LOAD, failed_status, invalid_status, knative_status, routed, standard_status
from tests.cluster.rest import Objects

INTERVAL_S = 0.2
SETTLE_TIMEOUT_S, SETTLE_POLL_S = 3.0, 0.05
KSERVE = "serving.kserve.io/v1beta1"
PASSING = (404, 409, 429, 500, 503)
"""Answers of the API server that the next look may not get: something was deleted or written meanwhile, or it starts up or shuts down."""
REFUSALS = ("failed to create typed patch object", "denied the request")
"""The first is server-side apply's, for what no object of the kind can be, such as two containers of one name; the second a webhook's."""
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
        webhooks: register KServe's and Knative's; the API server must reach loopback of this process.
        settings: of KServe and Knative.
    """

    def __init__(
        self,
        api_client: Any,
        namespace: str,
        *,
        runs_pods: bool = True,
        webhooks: bool = False,
        settings: KServeSettings | None = None,
    ) -> None:
        from kubernetes.client import ApiClient

        self._objects = Objects(api_client, "kserve-stand-in")
        self._applied = Applied(self._objects)
        self._scales = Objects(api_client, fixed_replicas.MANAGER)
        self._autoscaler = Autoscaler(api_client, namespace)
        self._namespace = namespace
        self.runs_pods = runs_pods
        self._settings = settings or KServeSettings()
        self._webhooks: Webhooks | None = None
        if webhooks:
            self._webhooks = Webhooks(ApiClient(api_client.configuration), namespace, self._settings, self.reconcile_and_settle)
        self._starts: dict[str, Start] = {}
        self._reconciling = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kserve-stand-in", daemon=True)
        self._failure: BaseException | None = None

    def start(self) -> None:
        if self._webhooks is not None:
            try:
                self._webhooks.start()
            except BaseException:
                self._webhooks.stop()
                raise
        self._thread.start()

    def stop(self) -> None:
        """Raises what went wrong in its thread, if anything did."""
        self._stopped.set()
        self._thread.join(30)
        if self._webhooks is not None:
            self._webhooks.stop()
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
        with self._reconciling:
            for service in self._objects.list_all(KSERVE, "InferenceService", self._namespace):
                if "deletionTimestamp" not in service["metadata"]:
                    self._reconcile(service)
            self._autoscaler.scale()

    def reconcile_and_settle(self) -> None:
        """Look once, and return when the Deployment controller has acted on it, or after a few seconds."""
        self._look()
        deadline = time.monotonic() + SETTLE_TIMEOUT_S
        while not self._is_settled() and time.monotonic() < deadline and not self._stopped.wait(SETTLE_POLL_S):
            pass

    def _is_settled(self) -> bool:
        with self._reconciling:
            deployments = self._objects.list_all("apps/v1", "Deployment", self._namespace)
        return all(each.get("status", {}).get("observedGeneration") == each["metadata"]["generation"] for each in deployments)

    def _run(self) -> None:
        while not self._stopped.is_set() and self._failure is None:
            self._look()
            self._stopped.wait(INTERVAL_S)

    def _look(self) -> None:
        """Reconcile; what passes is left to the next look, anything else is kept for `stop` to raise."""
        from kubernetes.client.rest import ApiException
        from urllib3.exceptions import HTTPError

        try:
            with contextlib.suppress(HTTPError):  # the API server is away: the next look may find it
                self.reconcile()
        except ApiException as refused:
            if refused.status not in PASSING:
                self._failure = refused
        except Exception as error:
            self._failure = error

    def _reconcile(self, service: dict[str, Any]) -> None:
        from kubernetes.client.rest import ApiException

        mode = deployment_mode(service)
        error = None
        try:
            pod = predictor_pod(service, chosen_runtime(self._objects, self._namespace, service["spec"]["predictor"]["model"]))
            make = self._standard if mode == STANDARD else self._knative
            status = make(service, pod)
        except InvalidSpec as invalid:
            error, status = str(invalid), invalid_status(service, invalid)
        except Refused as refused:
            error, status = str(refused), failed_status(service, str(refused))
        except ApiException as refused:
            error = str(json.loads(refused.body)["message"])
            if refused.status not in (400, 422) and not any(each in error for each in REFUSALS):
                raise
            status = failed_status(service, error)
        if self._write_status(service, {**status, "deploymentMode": mode}) and error is not None:
            record(self._objects, service, error)

    def _standard(self, service: dict[str, Any], pod: PredictorPod) -> dict[str, Any]:
        if refusal := host_refusal(service["metadata"]["name"], self._namespace, self._settings.ingress_domain):
            raise Refused(refusal)
        made = [self._applied.apply(each) for each in standard_objects(service, pod)]
        deployment = made[0]
        undo_restart(self._objects, deployment, pod.annotations)
        fixed_replicas.set_replicas(self._scales, deployment, fixed_replicas.fixed_replicas(service, autoscaler_class(pod)))
        pods = [each for each in self._objects.list_all("v1", "Pod", self._namespace) if _belongs(each, service)]
        if self.runs_pods:
            for each in pods:
                self._run_pod(each, self._start_of(service))
        status = standard_status(service, deployment, pods, self._settings)
        is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status["conditions"])
        if self._settings.enable_gateway_api and is_ready and not is_cluster_local(service):
            make_routes(self._objects, service, owned(service), self._settings)
        return status

    def _run_pod(self, pod: dict[str, Any], start: Start) -> None:
        from kubernetes.client.rest import ApiException

        conditions = {each["type"]: each["status"] for each in pod.get("status", {}).get("conditions") or ()}
        is_ready = conditions.get("Ready") == "True"
        wanted = is_ready if start in (Start.HELD, Start.FAILS) else start is Start.AT_ONCE
        containers = crashed(pod, FAILED_LOAD) if start is Start.FAILS and not is_ready else []
        as_wanted = wanted == is_ready and bool(containers) == bool(pod.get("status", {}).get("containerStatuses"))
        if as_wanted or "deletionTimestamp" in pod["metadata"]:
            return
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        conditions_wanted = [
            {"type": each, "status": str(wanted), "lastTransitionTime": moment} for each in ("Initialized", "ContainersReady", "Ready")
        ]
        status = {"phase": "Running", "conditions": conditions_wanted, "containerStatuses": containers or None}
        try:
            self._objects.patch_status({**pod, "apiVersion": "v1", "kind": "Pod"}, status)
        except ApiException as gone:
            if gone.status != 404:  # scaled away since it was listed
                raise

    def _knative(self, service: dict[str, Any], pod: PredictorPod) -> dict[str, Any]:
        wanted = knative_service(service, pod, _component(service))
        made = self._applied.apply(wanted)
        template = hashlib.sha256(json.dumps(wanted["spec"]["template"], sort_keys=True).encode()).hexdigest()
        start = self._start_of(service)
        route = routed(made, template, ready=start is Start.AT_ONCE, lost=start is Start.LOST, failed=start is Start.FAILS)
        if {key: value for key, value in made.get("status", {}).items() if key in route} != route:
            self._objects.patch_status(made, route)
        return knative_status(service, route)

    def _start_of(self, service: dict[str, Any]) -> Start:
        return self._starts.get(service["metadata"]["name"], Start.AT_ONCE)

    def _write_status(self, service: dict[str, Any], status: dict[str, Any]) -> bool:
        """Whether there was something new to write."""
        present = service.get("status", {})
        is_new = any(_without_times(present.get(field)) != _without_times(value) for field, value in status.items())
        if is_new:
            self._objects.patch_status(service, status)
        return is_new


def _belongs(pod: dict[str, Any], service: dict[str, Any]) -> bool:
    return bool((pod["metadata"].get("labels") or {}).get(SERVICE_LABEL) == service["metadata"]["name"])


def _component(service: dict[str, Any]) -> dict[str, Any]:
    return dict(service.get("status", {}).get("components", {}).get("predictor", {}))


def _without_times(value: Any) -> Any:
    if isinstance(value, list):
        return sorted((_without_times(each) for each in value), key=str)
    if isinstance(value, dict):
        return {key: _without_times(each) for key, each in value.items() if key != "lastTransitionTime"}
    return value
