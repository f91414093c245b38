"""Operators: versions read from labels and images, and namespaces they look at."""

from typing import Any

import pytest

from endcap.doctor.checks import kserve, part_operators
from endcap.doctor.checks.operators import parse_version, version_text
from endcap.doctor.checks.part_operators import spark_namespaces, strimzi_namespaces
from endcap.doctor.finding import State
from tests.endcap.doctor.made_cluster import items, made_cluster, made_release, outcome

DEPLOYMENTS = "/apis/apps/v1/deployments"


def _deployment(image: str, namespace: str = "kserve", available: int = 1, **container: Any) -> dict[str, Any]:
    name = container.pop("operator", "kserve-controller-manager")
    pod = {"containers": [{"name": "proxy", "image": "proxy:1.9"}, {"name": "manager", "image": image, **container}]}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {}},
        "spec": {"template": {"spec": pod}},
        "status": {"availableReplicas": available},
    }


@pytest.mark.parametrize(
    ("text", "version"),
    [("v0.20.0-rc0", (0, 20, 0)), ("1.21", (1, 21, 0)), ("v1.30.2+k3s1", (1, 30, 2)), ("latest", ()), ("", ())],
)
def test_versions_are_numbers(text: str, version: tuple[int, ...]) -> None:
    assert parse_version(text) == version


def test_a_version_is_the_label_s_else_the_tag_s_also_behind_a_registry_with_a_port() -> None:
    deployment = _deployment("registry.example:5000/kserve/kserve-controller:v0.20.1@sha256:0123")
    assert version_text(deployment) == "v0.20.1"
    deployment["metadata"]["labels"] = {"app.kubernetes.io/version": "v0.21.0"}
    assert version_text(deployment) == "v0.21.0"
    deployment["metadata"]["labels"] = {"app.kubernetes.io/version": "latest"}
    assert version_text(deployment) == "v0.20.1"


@pytest.mark.parametrize(
    ("image", "available", "state"),
    [
        ("kserve/kserve-controller:v0.20.0-rc0", 1, State.OK),
        ("kserve/kserve-controller:v1.0.0", 1, State.OK),
        ("kserve/kserve-controller:v0.15.2", 1, State.GAP),
        ("kserve/kserve-controller:v0.15.2", 0, State.GAP),
        ("kserve/kserve-controller:v0.20.0", 0, State.WARNING),
        ("kserve/kserve-controller:latest", 1, State.UNKNOWN),
        ("kserve/kserve-controller", 1, State.UNKNOWN),
    ],
)
def test_kserve_has_to_be_new_enough_and_at_work(image: str, available: int, state: State) -> None:
    cluster = made_cluster({DEPLOYMENTS: items(_deployment(image, available=available))})
    found = outcome(kserve.checks(made_release()), "version", cluster)
    assert found is not None
    assert found.state is state
    assert state is State.OK or found.fix


def test_an_operator_is_looked_for_in_its_usual_namespaces_where_all_may_not_be_listed() -> None:
    place = "/apis/apps/v1/namespaces/{}/deployments/kserve-controller-manager"
    there = _deployment("kserve/kserve-controller:v0.20.0", namespace="kubeflow")
    cluster = made_cluster({DEPLOYMENTS: 403, place.format("kserve"): 403, place.format("kubeflow"): there})
    found = outcome(kserve.checks(made_release()), "version", cluster)
    assert found is not None
    assert found.found == "v0.20.0 (kubeflow/kserve-controller-manager)"


def test_strimzi_looks_at_what_its_variable_names() -> None:
    def watching(**variable: Any) -> list[str] | None:
        return strimzi_namespaces(_deployment("strimzi", namespace="strimzi", env=[{"name": "STRIMZI_NAMESPACE", **variable}]))

    assert watching(value="*") is None
    assert watching(value="shop, other") == ["shop", "other"]
    assert watching(valueFrom={"fieldRef": {"fieldPath": "metadata.namespace"}}) == ["strimzi"]
    assert strimzi_namespaces(_deployment("strimzi")) is None


def test_spark_looks_at_what_its_argument_names() -> None:
    assert spark_namespaces(_deployment("spark", args=["controller", "start", "--namespaces=default"])) == ["default"]
    assert spark_namespaces(_deployment("spark", args=["--namespaces="])) is None
    assert spark_namespaces(_deployment("spark", args=['--namespaces=""'])) is None


def test_an_operator_that_does_not_look_at_the_namespace_is_a_gap() -> None:
    deployment = _deployment("spark:2.3.0", "spark-operator", operator="spark-operator-controller", args=["--namespaces=default"])
    checks = [each for each in part_operators.checks(made_release({"spark": {"enabled": True}})) if each.part == "Spark operator"]
    found = outcome(checks, "version", made_cluster({DEPLOYMENTS: items(deployment)}))
    assert found is not None
    assert found.state is State.GAP
    assert "default only" in found.found
    assert "spark.jobNamespaces" in found.fix
