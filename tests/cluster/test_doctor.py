"""`endcap doctor` against a real API server: what is missing is a gap with a fix, what may not be read is unknown, what is there is ok."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster import operators_at_work as at_work
from tests.cluster.chart import CHART, PROFILES, RELEASE, values_of
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.doctor_command import Doctor
from tests.cluster.operator_crds import served
from tests.cluster.rest import Objects
from tests.waiting import until

CLASS, ISSUER = "endcap-gateway", "letsencrypt"
KINDS = (
    ("gatewayclasses", "GatewayClass", "gateway.networking.k8s.io"),
    ("clusterissuers", "ClusterIssuer", "cert-manager.io"),
)


@pytest.fixture
def doctor(cluster: Cluster) -> Doctor:
    return Doctor(cluster.kubeconfig)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_gives_a_table_with_something_to_do_in_each_gap(doctor: Doctor, namespace: str, profile: str) -> None:
    done = doctor.run("--namespace", namespace, "--values", values_of(profile))
    assert done.returncode == 7, done.stderr
    assert "needed (by which value)" in done.stdout
    assert "secret endcap-feast-registry" in done.stdout
    assert "Traceback" not in done.stderr
    found = doctor.findings("--namespace", namespace, "--values", values_of(profile))
    gaps = [each for each in found.values() if each["state"] == "gap"]
    assert gaps
    assert [each for each in gaps if not each["fix"]] == []


def test_definitions_are_gaps_exactly_where_the_api_server_does_not_serve_them(cluster: Cluster, doctor: Doctor, namespace: str) -> None:
    with cluster.api_client() as api_client:
        is_there = served(api_client)
    found = doctor.findings("--namespace", namespace, "--values", values_of("production"))
    kinds = {
        "KServe": ["inferenceservices.serving.kserve.io", "servingruntimes.serving.kserve.io"],
        "KEDA": ["scaledobjects.keda.sh"],
        "milvus-operator": ["milvuses.milvus.io"],
        "Strimzi": ["kafkas.kafka.strimzi.io", "kafkanodepools.kafka.strimzi.io", "kafkatopics.kafka.strimzi.io"],
        "Kubeflow Pipelines": [f"{kind}.pipelines.kubeflow.org" for kind in ("pipelines", "pipelineversions")],
    }
    for part, names in kinds.items():
        assert found[part, "definitions"]["state"] == ("ok" if set(names) <= is_there else "gap"), part


def test_a_namespace_that_is_not_there_is_a_gap_with_its_command(doctor: Doctor) -> None:
    exists = doctor.findings("--namespace", "endcap-not-there", "--values", values_of("minimal"))["Namespace", "exists"]
    assert exists["state"] == "gap"
    assert exists["fix"] == "kubectl create namespace endcap-not-there"


def test_it_writes_nothing(doctor: Doctor, kubectl: Command, namespace: str) -> None:
    kinds = "configmaps,secrets,serviceaccounts,services,deployments.apps,roles.rbac.authorization.k8s.io,persistentvolumeclaims"
    before = kubectl("get", kinds, "--namespace", namespace, "--output", "name")
    doctor.run("--namespace", namespace, "--values", values_of("production"))
    assert kubectl("get", kinds, "--namespace", namespace, "--output", "name") == before


def test_who_may_read_little_gets_unknown_rows_and_no_good_ones(cluster: Cluster, namespace: str, kubectl: Command, tmp_path: Path) -> None:
    kubectl("create", "serviceaccount", "visitor", "--namespace", namespace)
    token = kubectl("create", "token", "visitor", "--namespace", namespace).strip()
    visitor = Doctor(_kubeconfig_of(cluster, token, tmp_path / "visitor.yaml"))
    found = visitor.findings("--namespace", namespace, "--values", values_of("production"))
    unreadable = [
        ("Namespace", "exists"),
        ("KServe", "version"),
        ("KServe", "istio"),
        ("Gateway API", "version"),
        ("Gateway API", "class"),
        ("cert-manager", "issuer"),
        ("Secrets", "secret-endcap-feast-registry"),
        ("Storage", "claim-endcap-workspace"),
        ("Prometheus", "selectors"),
    ]
    assert {key: found[key]["state"] for key in unreadable} == dict.fromkeys(unreadable, "unknown")
    assert "forbidden" in found["KServe", "version"]["found"]
    assert found["Kubernetes", "version"]["state"] == "ok"
    assert found["Rights", "install"]["state"] == "gap"
    assert "configmaps" in found["Rights", "install"]["found"]
    assert "httproutes.gateway.networking.k8s.io" in found["Rights", "grant-rollout-operator"]["found"]


def test_a_cluster_that_does_not_answer_is_one_error_of_its_own_kind(cluster: Cluster, tmp_path: Path) -> None:
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    for each in config["clusters"]:
        each["cluster"]["server"] = "https://127.0.0.1:9"
    away = tmp_path / "away.yaml"
    away.write_text(yaml.safe_dump(config))
    done = Doctor(away).run("--namespace", "shop", "--values", values_of("minimal"))
    assert done.returncode == 5
    assert done.stdout == ""
    assert "does not answer" in done.stderr


@pytest.fixture(scope="module")
def operators(cluster: Cluster, kubectl: Command, operator_crds: None) -> Iterator[Objects]:
    """All operators at work, in their usual namespaces."""
    if cluster.own is None:
        pytest.skip("the operators of a cluster from KUBECONFIG are not ours to make")
    namespaces = sorted({*(namespace for namespace, _ in (*at_work.OPERATORS, *at_work.SETTINGS)), *_parts_namespaces()})
    baseline = {"pod-security.kubernetes.io/enforce": "baseline"}
    made = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": baseline}} for name in namespaces]
    made += [at_work.any_definition(*kind) for kind in KINDS]
    made += [at_work.config_map(*key) for key in at_work.SETTINGS] + [at_work.deployment(*key) for key in at_work.OPERATORS]
    definitions = [f"customresourcedefinition/{plural}.{group}" for plural, _, group in KINDS]
    with cluster.api_client() as api_client:
        objects = Objects(api_client, "tests")
        kubectl("apply", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": made}))
        try:
            until(lambda: {f"{plural}.{group}" for plural, _, group in KINDS} <= served(api_client), "definitions")
            for key in at_work.OPERATORS:
                at_work.make_ready(objects, *key)
            yield objects
        finally:
            kubectl("delete", "--wait=false", *definitions, *(f"namespace/{name}" for name in namespaces))


def test_what_is_there_is_ok_with_its_version(operators: Objects, doctor: Doctor, namespace: str, kubectl: Command) -> None:
    for each in (namespace, *_parts_namespaces()):
        _make_secrets(kubectl, each)
    gateways = {"spec": {"controllerName": "example.com/gateway"}}
    reported = [
        _reported("gateway.networking.k8s.io/v1", "GatewayClass", CLASS, "Accepted") | gateways,
        _reported("cert-manager.io/v1", "ClusterIssuer", ISSUER, "Ready"),
    ]
    kubectl("apply", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": reported}))
    found = doctor.findings("--namespace", namespace, "--values", values_of("production"))
    good = {
        ("KServe", "definitions"): "served",
        ("KServe", "version"): "v0.20.0-rc0",
        ("KServe", "istio"): "disableIstioVirtualHost=true",
        ("Gateway API", "class"): "example.com/gateway",
        ("cert-manager", "version"): "v1.21.2",
        ("cert-manager", "issuer"): "ready",
        ("KEDA", "version"): "2.18.0",
        ("Strimzi", "version"): "0.50.0",
        ("milvus-operator", "version"): "v1.3.8",
        ("Spark operator", "version"): "2.3.0",
        ("Kubeflow Pipelines", "native"): "2.5.0",
        ("Secrets", "secret-endcap-feast-registry"): "there",
        ("Secrets", "secret-endcap-milvus"): "there",
        ("Rights", "install"): "allowed",
        ("Rights", "grant-rollout-operator"): "allowed",
    }
    assert {key: found[key]["state"] for key in good} == dict.fromkeys(good, "ok")
    assert [key for key, shown in good.items() if shown not in found[key]["found"]] == []
    # the namespaces of these tests enforce restricted, which refuses Milvus's own pods
    assert found["Namespace", "parts"]["state"] == ("ok" if _parts_namespaces() else "gap")
    assert found["Gateway API", "version"]["state"] in ("ok", "unknown")  # unknown where the definition lists no fields


def test_knative_mode_needs_exactly_the_features_of_its_values(operators: Objects, doctor: Doctor, namespace: str, tmp_path: Path) -> None:
    knative = tmp_path / "knative.yaml"
    pods = {"deploymentMode": "Knative", "timeoutSeconds": 30, "nodeSelector": {"disk": "fast"}}
    knative.write_text(yaml.safe_dump({"serving": pods, "bundles": {"storageUri": "s3://shop/bundles"}}))
    found = doctor.findings("--namespace", namespace, "--values", values_of("minimal"), "--values", knative)
    features = {check: each["state"] for (part, check), each in found.items() if part == "Knative" and check.startswith("feature-")}
    assert features.pop("feature-podspec-securitycontext") == "ok"
    assert features.pop("feature-podspec-nodeselector") == "gap"
    assert set(features.values()) == {"ok"}
    assert found["Knative", "config-autoscaler"]["state"] == "ok"
    assert found["Knative", "version"]["state"] == "ok"


@pytest.fixture
def installed(helm: Command, namespace: str, operator_crds: None, without_rollout_definition: None) -> Iterator[str]:
    helm("install", RELEASE, CHART, "--namespace", namespace, "--values", values_of("gpu"))
    yield namespace
    helm("uninstall", RELEASE, "--namespace", namespace, "--no-hooks")


def test_accounts_of_an_installed_release_are_looked_at(doctor: Doctor, kubectl: Command, installed: str) -> None:
    given = ("--namespace", installed, "--values", values_of("gpu"))
    found = doctor.findings(*given)
    assert found["Rights", "account-rollout-operator"]["state"] == "ok"
    assert found["Rights", "account-pipeline-steps"]["state"] == "ok"
    assert found["Rollouts", "definition"]["found"] == "this release's own"
    kubectl("delete", "rolebinding", "endcap-rollout-operator", "--namespace", installed)
    broken = doctor.findings(*given)["Rights", "account-rollout-operator"]
    assert broken["state"] == "gap"
    assert "rollouts.endcap.dev" in broken["found"]


def test_a_quota_that_the_fewest_pods_do_not_fit_is_a_gap(doctor: Doctor, kubectl: Command, namespace: str) -> None:
    kubectl("create", "quota", "small", "--namespace", namespace, "--hard=requests.cpu=1,pods=20")
    quota = doctor.findings("--namespace", namespace, "--values", values_of("multi-region"))["Namespace", "quota"]
    assert quota["state"] == "gap"
    assert "requests.cpu" in quota["found"]


def _kubeconfig_of(cluster: Cluster, token: str, path: Path) -> Path:
    config = yaml.safe_load(cluster.kubeconfig.read_text())
    for each in config["users"]:
        each["user"] = {"token": token}
    path.write_text(yaml.safe_dump(config))
    return path


def _parts_namespaces() -> list[str]:
    """Where the production profile puts Milvus and Feast, when that is a namespace of their own."""
    named = yaml.safe_load(values_of("production").read_text()).get("parts", {}).get("namespace")
    return [named] if named else []


def _make_secrets(kubectl: Command, namespace: str) -> None:
    for name, keys in {
        "endcap-feast-registry": ["registry"],
        "endcap-milvus": ["token", "root"],
        "endcap-redis": ["redis"],
        "endcap-feast": ["FEAST_REGISTRY", "FEAST_REDIS"],
    }.items():
        kubectl("create", "secret", "generic", name, "--namespace", namespace, *(f"--from-literal={key}=made-up" for key in keys))


def _reported(api_version: str, kind: str, name: str, condition: str) -> dict[str, Any]:
    """A resource on which its controller has reported."""
    status = {"conditions": [{"type": condition, "status": "True"}]}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "status": status}
