"""The commands of docs/operations.md, in its order, against the API server: from an empty cluster to nothing left."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from endcap.core.ports import free_port
from endcap.core.settings import MilvusSettings, Settings
from endcap.release.index.local_server import running_milvus
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.kserve_standin import KServeStandIn
from tests.cluster.reader import Reader
from tests.cluster.rollouts.operator_process import ACCOUNT, OperatorProcess, account_kubeconfig, clean_environment
from tests.cluster.rollouts.scene import STABLE_COLLECTION, made_collections
from tests.docs.page import ROOT, blocks
from tests.waiting import until

NAMESPACE = "shop"
VERSIONS = (20261124110000, 20261125110000)
CANDIDATE = f"rollouts.endcap.dev/endcap-{VERSIONS[1]}"


@pytest.fixture
def milvus(tmp_path: Path) -> Iterator[MilvusSettings]:
    with running_milvus(Settings(home=tmp_path / "milvus", milvus=MilvusSettings(port=free_port()))) as running:
        made_collections(running, [STABLE_COLLECTION, *(f"endcap_{version}" for version in VERSIONS)])
        yield running


def operator_settings(kubectl: Command) -> dict[str, str]:
    """The settings that the chart gives the operator's container."""
    path = "{range .spec.template.spec.containers[0].env[?(@.value)]}{.name}={.value}{'\\n'}{end}"
    listed = kubectl("get", "deployment", ACCOUNT, "--namespace", NAMESPACE, "--output", f"jsonpath={path}")
    return dict(line.split("=", 1) for line in listed.splitlines() if line.startswith("ENDCAP_"))


def running_operator(cluster: Cluster, kubectl: Command, milvus: MilvusSettings, folder: Path, core: Any) -> OperatorProcess:
    """What the operator's Deployment would run, with the addresses of this machine."""
    health = free_port()
    settings = operator_settings(kubectl)
    assert settings["ENDCAP_MILVUS__MANAGED"] == "false"
    environment = clean_environment() | settings
    environment |= {
        "KUBECONFIG": str(account_kubeconfig(cluster, core, NAMESPACE, folder / "operator.kubeconfig")),
        "ENDCAP_HOME": str(folder / "operator-home"),
        "ENDCAP_MILVUS__HOST": milvus.host,
        "ENDCAP_MILVUS__PORT": str(milvus.port),
        "ENDCAP_ROLLOUTS__HOST": "127.0.0.1",
        "ENDCAP_ROLLOUTS__HEALTH_PORT": str(health),
        "ENDCAP_ROLLOUTS__METRICS_PORT": str(free_port()),
        "ENDCAP_ROLLOUTS__PROMETHEUS_URL": "http://127.0.0.1:9",
        "ENDCAP_ROLLOUTS__TICK_SECONDS": "0.5",
        "ENDCAP_FEATURE_REPO_DIR": str(ROOT / "feature_repo" / "endcap_feature_repo"),
    }
    return OperatorProcess(environment, f"http://127.0.0.1:{health}/healthz", folder / "operator.log")


def test_the_page_leads_from_an_empty_cluster_to_a_rollback_and_leaves_nothing(
    reader: Reader, cluster: Cluster, kubectl: Command, milvus: MilvusSettings, tmp_path: Path
) -> None:
    from kubernetes import client

    with ExitStack() as stack:
        api_client = stack.enter_context(cluster.api_client())
        stand_in = KServeStandIn(stack.enter_context(cluster.api_client()), NAMESPACE, webhooks=cluster.own is not None)
        stand_in.start()
        stack.callback(stand_in.stop)
        for block in blocks("operations.md"):
            if block.kind not in ("run", "file") or block.name == "predict":
                continue
            if block.name == "canary":
                operator = running_operator(cluster, kubectl, milvus, tmp_path, client.CoreV1Api(api_client))
                stack.callback(operator.stop)
                operator.start()
            printed = reader.do(block)
            if block.name == "canary":
                assert f"endcap-{VERSIONS[1]}" in printed
                until(lambda: weight_of_candidate(kubectl) == "1", "the candidate gets its first share", 60)
            if block.name == "rollback":
                assert "endcap-predictor" in printed
                assert "candidate" not in printed
    assert NAMESPACE not in kubectl("get", "namespaces", "--output", "name")
    assert "rollouts.endcap.dev" not in kubectl("get", "customresourcedefinitions", "--output", "name")


def weight_of_candidate(kubectl: Command) -> str:
    return kubectl("get", CANDIDATE, "--namespace", NAMESPACE, "--output", "jsonpath={.status.currentWeight}")
