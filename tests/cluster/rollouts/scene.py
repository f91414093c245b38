"""A namespace with the operator at work: real API server, Prometheus, Milvus and MLflow; KServe and the shoppers are stood in for."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from endcap.contracts.rollout import ENDED, Analysis, Guardrail, Pause, RolloutBundle, RolloutSpec, RolloutStatus, Step
from endcap.core.settings import MilvusSettings
from endcap.release.rollout.api_server import HTTP_ROUTES, INFERENCE_SERVICES, ROLLOUTS, ApiServer, Kind
from endcap.release.rollout.client import request_action, rollout_document
from endcap.release.rollout.resource import Rollout, parse_rollout
from tests.cluster.cluster import Cluster
from tests.cluster.kserve_standin import KServeStandIn
from tests.cluster.rollouts.operator_process import OperatorProcess
from tests.cluster.rollouts.targets import RUNTIME, http_route, inference_service, storage_uri
from tests.made_metrics import MadeOutcomes, MadeTransformer
from tests.prometheus_server import PrometheusServer
from tests.waiting import until

STABLE = 1
CANDIDATES = range(2, 70)
STABLE_COLLECTION, CANDIDATE_COLLECTION = "endcap_1", "endcap_2"
"""All candidates name the same one: Milvus takes seconds to load one."""
RUNTIMES = Kind("serving.kserve.io", "v1alpha1", "servingruntimes")
NO_ERRORS = Guardrail(name="error-rate", built_in="errorRate", limit=0.01)  # type: ignore[arg-type]
QUICK = Pause(duration="3s", min_requests=50)
BUSY = 200.0
"""Requests a second of a pod that is served to shoppers."""


@dataclass
class Scene:
    """What tests act on.

    Attributes:
        pods: one a version; all are scraped from the start, and idle until a test says otherwise.
    """

    cluster: Cluster
    namespace: str
    server: ApiServer
    kserve: KServeStandIn
    prometheus: PrometheusServer
    milvus: MilvusSettings
    operator: OperatorProcess
    metrics_url: str
    mlflow_uri: str
    pods: Mapping[int, MadeTransformer]
    outcomes: MadeOutcomes
    versions: Iterator[int] = field(default_factory=lambda: iter(CANDIDATES))
    names: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    targets: list[str] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)

    def version(self) -> int:
        """One that no other test uses."""
        return next(self.versions)

    def make_target(self, mode: str = "Standard", stem: str = "shelf", *, collection: str = STABLE_COLLECTION, **predictor: Any) -> str:
        """A target that serves the stable version and is ready.

        Args:
            collection: of the stable version.
            predictor: fields such as `minReplicas`.
        """
        name = f"{stem}-{next(self.names)}"
        self.server.create(INFERENCE_SERVICES, inference_service(name, mode, STABLE, collection, **predictor))
        if mode == "Standard":
            self.server.create(HTTP_ROUTES, http_route(name))
        self.targets.append(name)
        return name

    def forget_targets(self, kept: int) -> None:
        """Delete all targets but the first ones: each costs KServe's stand-in time at every look."""
        while len(self.targets) > kept:
            name = self.targets.pop()
            self.server.delete(INFERENCE_SERVICES, name)
            self.server.delete(HTTP_ROUTES, name)

    def start(
        self,
        target: str,
        version: int,
        *,
        weights: Iterable[int] = (5, 50, 100),
        pause: Pause = QUICK,
        guardrails: Iterable[Guardrail] = (NO_ERRORS,),
        deadline: int = 60,
        name: str | None = None,
        collection: str = CANDIDATE_COLLECTION,
    ) -> str:
        """Create a Rollout of a version on a target; its name."""
        spec = RolloutSpec(
            target=target,
            bundle=RolloutBundle(version=version, storage_uri=storage_uri(version), collection=collection),
            steps=[Step(set_weight=weight, pause=pause) for weight in weights],
            analysis=Analysis(interval="1s", window="20s", guardrails=list(guardrails)),
            progress_deadline_seconds=deadline,
        )
        register(self.mlflow_uri, version)
        created = self.server.create(ROLLOUTS, rollout_document(name or f"{target}-{version}", spec))
        return str(created["metadata"]["name"])

    def remove(self, name: str) -> None:
        """Delete a Rollout; return when it is gone."""
        self.server.delete(ROLLOUTS, name)
        until(lambda: self.server.get(ROLLOUTS, name) is None, f"{name} is gone", 60)

    def forget_candidate(self, target: str) -> None:
        """Delete a candidate that outlived its Rollout."""
        self.server.delete(INFERENCE_SERVICES, f"{target}-candidate")

    @contextmanager
    def service_account(self, name: str) -> Iterator[None]:
        """A ServiceAccount that is gone in the end."""
        from kubernetes import client

        with self.cluster.api_client() as api_client:
            core = client.CoreV1Api(api_client)
            core.create_namespaced_service_account(self.namespace, {"metadata": {"name": name}})
            try:
                yield
            finally:
                core.delete_namespaced_service_account(name, self.namespace)

    def serve(self, version: int, **traffic: Any) -> None:
        """Shoppers are served by a version's pod from now on."""
        self.busy.append(version)
        self.pods[version].change(requests_per_second=BUSY, **traffic)

    def let_rest(self, kept: int) -> None:
        """Nobody asks any version but the first ones: each busy pod costs time at every scrape."""
        while len(self.busy) > kept:
            self.pods[self.busy.pop()].change(requests_per_second=0)

    def rollout(self, name: str) -> Rollout:
        document = self.server.get(ROLLOUTS, name)
        assert document is not None, f"there is no Rollout {name}"
        return parse_rollout(document)

    def status(self, name: str) -> RolloutStatus:
        return self.rollout(name).status

    def ask(self, name: str, action: Any) -> None:
        request_action(self.server, name, action)

    def until(self, name: str, what: str, within_s: float = 45.0, **fields: Any) -> RolloutStatus:
        """The status, as soon as its fields have these values."""

        def reached() -> RolloutStatus | None:
            status = self.status(name)
            return status if all(getattr(status, each) == value for each, value in fields.items()) else None

        try:
            return until(reached, what, within_s)  # type: ignore[no-any-return]
        except AssertionError as late:
            status = self.status(name)
            raise AssertionError(f"{late}; it is {status.phase} {status.reason}: {status.message}") from late

    def until_ended(self, name: str, within_s: float = 60.0) -> RolloutStatus:
        try:
            until(lambda: self.status(name).phase in ENDED, f"end of {name}", within_s)
        except AssertionError as late:
            status = self.status(name)
            raise AssertionError(f"{late}; it is {status.phase} {status.reason}: {status.message}") from late
        return self.status(name)

    def until_measured(self, name: str, times: int) -> RolloutStatus:
        """The guardrails were measured so many times more."""
        seen = {self.status(name).measured_at}

        def enough() -> bool:
            seen.add(self.status(name).measured_at)
            return len(seen) > times

        until(enough, f"{times} looks at the guardrails of {name}", 60)
        return self.status(name)

    def until_completed(self, name: str) -> RolloutStatus:
        """Traffic and alias are where the decision wants them; the candidate may still drain."""
        until(lambda: self.status(name).completed_at is not None, f"completion of {name}", 45)
        return self.status(name)

    def until_at_step(self, name: str, index: int) -> RolloutStatus:
        """The step's weight is in force."""

        def reached() -> bool:
            status = self.status(name)
            return status.current_step_index == index and status.step_started_at is not None

        until(reached, f"step {index + 1} of {name}, is {self.status(name)}", 45)
        return self.status(name)

    def service(self, name: str) -> dict[str, Any] | None:
        return self.server.get(INFERENCE_SERVICES, name)

    def served(self, name: str) -> str:
        """Storage address that an InferenceService names."""
        document = self.service(name)
        assert document is not None
        return str(document["spec"]["predictor"]["model"]["storageUri"])

    def weights(self, target: str) -> dict[str, int]:
        """Of the rule `traffic`, by Service."""
        route = self.server.get(HTTP_ROUTES, target)
        assert route is not None
        rule = next(rule for rule in route["spec"]["rules"] if rule["name"] == "traffic")
        return {backend["name"]: backend["weight"] for backend in rule["backendRefs"]}

    def alias(self) -> str | None:
        from endcap.release.index.alias import aliased_collection
        from endcap.release.index.connection import connect

        client = connect(self.milvus)
        try:
            return aliased_collection(client, self.milvus.collection_prefix)
        finally:
            client.close()

    def events(self, name: str) -> list[str]:
        """Reasons of a rollout's Events."""
        from kubernetes import client

        with self.cluster.api_client() as api_client:
            selector = f"involvedObject.name={name},involvedObject.kind=Rollout"
            found = client.CoreV1Api(api_client).list_namespaced_event(self.namespace, field_selector=selector).items
        return [event.reason for event in found]

    def metric(self, line_start: str) -> float | None:
        """The operator's own metric whose line begins so."""
        for line in httpx.get(self.metrics_url, timeout=5).text.splitlines():
            if line.startswith(line_start):
                return float(line.rpartition(" ")[2])
        return None


def seconds_to_roll_back(status: RolloutStatus) -> float:
    """From the decision until traffic and alias were with the stable version again."""
    assert status.decided_at is not None and status.completed_at is not None
    return (status.completed_at - status.decided_at).total_seconds()


@contextmanager
def prepared(server: ApiServer) -> Iterator[None]:
    """The runtime that all targets name is there."""
    server.create(RUNTIMES, RUNTIME)
    yield


@contextmanager
def idle_pods() -> Iterator[Mapping[int, MadeTransformer]]:
    """A pod of the stable version, which is busy, and one of each candidate."""
    with ExitStack() as stack:
        pods = {version: MadeTransformer(version) for version in (STABLE, *CANDIDATES)}
        for pod in pods.values():
            stack.callback(pod.close)
        pods[STABLE].change(requests_per_second=BUSY)
        yield pods


def made_collections(settings: MilvusSettings, names: Iterable[str]) -> None:
    """Small collections, loaded, and the alias on the stable one."""
    from endcap.release.index.alias import move_alias
    from endcap.release.index.connection import connect

    client = connect(settings)
    for name in names:
        made_collection(client, name)
    move_alias(client, settings.collection_prefix, STABLE_COLLECTION)
    client.close()


def made_collection(client: Any, name: str) -> None:
    """An empty collection, loaded."""
    from pymilvus import DataType, MilvusClient

    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("id", DataType.INT64, is_primary=True)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
    index = client.prepare_index_params()
    index.add_index("vector", index_type="FLAT", metric_type="IP")
    client.create_collection(name, schema=schema, index_params=index)


def opened_registry(mlflow_uri: str) -> Any:
    """MLflow's client; the first one makes the tables."""
    import mlflow

    from endcap.release.tracking import quiet_mlflow

    quiet_mlflow()
    return mlflow.MlflowClient(tracking_uri=mlflow_uri, registry_uri=mlflow_uri)


def register(mlflow_uri: str, version: int) -> None:
    """A bundle as a version of the model, as the pipeline does it before it asks for a rollout."""
    from endcap.release.tracking import BUNDLE_TAG

    opened_registry(mlflow_uri).create_model_version("endcap", source=f"s3://bundles/{version}", tags={BUNDLE_TAG: str(version)})


def made_registry(mlflow_uri: str) -> None:
    """The model, and its stable version as the champion."""
    from endcap.release.tracking import CHAMPION

    client = opened_registry(mlflow_uri)
    client.create_registered_model("endcap")
    register(mlflow_uri, STABLE)
    client.set_registered_model_alias("endcap", CHAMPION, "1")
