"""One operator for the whole folder; each test has a target, a candidate version and pods of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from endcap.core.ports import free_port
from endcap.core.settings import MilvusSettings, Settings
from endcap.release.index.local_server import running_milvus
from endcap.release.rollout.api_server import ApiServer
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.kserve_standin import KServeStandIn
from tests.cluster.rollouts.operator_process import ACCOUNT, OperatorProcess, account_kubeconfig, clean_environment
from tests.cluster.rollouts.scene import (
    CANDIDATE_COLLECTION,
    STABLE_COLLECTION,
    Scene,
    idle_pods,
    made_collections,
    made_registry,
    prepared,
)
from tests.made_metrics import MadeOutcomes
from tests.prometheus_server import running_prometheus
from tests.shared_milvus import kept_folder, share_unpacked_milvus

ROOT = Path(__file__).parents[3]
CHART = ROOT / "charts" / "endcap"
DEFINITION = CHART / "files" / "rollouts.endcap.dev.yaml"
TICK_S = "0.5"
KEPT_COLLECTIONS = 100
POINTED, SERVED = "pointed", "endcap-served"
"""The target whose stable bundle the operator says, and the ConfigMap in which it does, which the chart's Role names."""


@pytest.fixture(scope="package")
def definition(kubectl: Command, operator_crds: None) -> None:
    """The API server knows Rollouts."""
    kubectl("apply", "--server-side", "-f", str(DEFINITION))
    kubectl("wait", "--for=condition=Established", "--timeout=60s", "customresourcedefinition/rollouts.endcap.dev")


@pytest.fixture(scope="package")
def operator_namespace(make_namespace: Callable[[str], str], helm: Command, kubectl: Command, definition: None) -> str:
    """A namespace with the operator's ServiceAccount and the chart's Role, and nothing else of the chart."""
    namespace = make_namespace("rollouts")
    parts = [f"--show-only=templates/rollout-operator-{part}.yaml" for part in ("serviceaccount", "role", "rolebinding")]
    values = CHART / "profiles" / "production.yaml"
    rendered = helm("template", "endcap", str(CHART), "--namespace", namespace, "--values", str(values), *parts)
    names = {each["metadata"]["name"] for each in yaml.safe_load_all(rendered) if each}
    assert names == {ACCOUNT}
    kubectl("apply", "--server-side", "--namespace", namespace, "-f", "-", stdin=rendered)
    return namespace


@pytest.fixture(scope="package")
def milvus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MilvusSettings]:
    home = tmp_path_factory.mktemp("milvus")
    share_unpacked_milvus(home, kept_folder(tmp_path_factory))
    wanted = MilvusSettings(port=free_port(), keep_collections=KEPT_COLLECTIONS)
    with running_milvus(Settings(home=home, milvus=wanted)) as running:
        made_collections(running, (STABLE_COLLECTION, CANDIDATE_COLLECTION))
        yield running


@pytest.fixture(scope="package")
def scene(cluster: Cluster, operator_namespace: str, milvus: MilvusSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Everything at work, one operator among it."""
    from kubernetes import client

    folder = tmp_path_factory.mktemp("rollouts")
    mlflow_uri = f"sqlite:///{folder / 'mlflow.db'}"
    made_registry(mlflow_uri)
    with ExitStack() as stack:
        api_client = stack.enter_context(cluster.api_client())
        server = ApiServer(api_client, operator_namespace)
        stack.enter_context(prepared(server))
        kserve = KServeStandIn(stack.enter_context(cluster.api_client()), operator_namespace, webhooks=cluster.own is not None)
        kserve.start()
        stack.callback(kserve.stop)
        pods = stack.enter_context(idle_pods())
        outcomes = MadeOutcomes()
        stack.callback(outcomes.close)
        for version in pods:
            outcomes.add(version, 0)  # a counter that is scraped before it counts
        targets = [*(pod.target for pod in pods.values()), outcomes.target]
        prometheus = stack.enter_context(running_prometheus(folder / "prometheus", targets))
        kubeconfig = account_kubeconfig(cluster, client.CoreV1Api(api_client), operator_namespace, folder / "operator.kubeconfig")
        health, metrics = free_port(), free_port()
        environment = clean_environment() | {
            "KUBECONFIG": str(kubeconfig),
            "ENDCAP_HOME": str(folder / "home"),
            "ENDCAP_LOG_FORMAT": "json",
            "ENDCAP_ROLLOUTS__PROMETHEUS_URL": prometheus.url,
            "ENDCAP_ROLLOUTS__TICK_SECONDS": TICK_S,
            "ENDCAP_OUTCOMES__LIST_MINUTES": "0.02",
            "ENDCAP_ROLLOUTS__METRICS_PORT": str(metrics),
            "ENDCAP_ROLLOUTS__HEALTH_PORT": str(health),
            "ENDCAP_ROLLOUTS__TARGET": POINTED,
            "ENDCAP_ROLLOUTS__SERVED_CONFIG_MAP": SERVED,
            "ENDCAP_MILVUS__PORT": str(milvus.port),
            "ENDCAP_MILVUS__MANAGED": "false",
            "ENDCAP_MILVUS__KEEP_COLLECTIONS": str(KEPT_COLLECTIONS),
            "ENDCAP_MLFLOW__TRACKING_URI": mlflow_uri,
        }
        client.CoreV1Api(api_client).create_namespaced_config_map(operator_namespace, {"metadata": {"name": SERVED}})
        operator = OperatorProcess(environment, f"http://127.0.0.1:{health}/healthz", folder / "operator.log")
        stack.callback(operator.stop)
        operator.start()
        metrics_url = f"http://127.0.0.1:{metrics}/metrics"
        yield Scene(cluster, operator_namespace, server, kserve, prometheus, milvus, operator, metrics_url, mlflow_uri, pods, outcomes)


@pytest.fixture(autouse=True)
def tidied(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test made for itself is gone after it; what a module made stays."""
    if "scene" not in request.fixturenames:
        yield
        return
    scene = request.getfixturevalue("scene")
    kept, busy = len(scene.targets), len(scene.busy)
    yield
    scene.forget_targets(kept)
    scene.let_rest(busy)
