"""Every pod that comes of a profile is taken by a namespace that enforces the restricted standard."""

import copy
from typing import Any

import pytest
from kubernetes.client.rest import ApiException

from tests.cluster.chart import CHART, KNATIVE, PROFILES, RELEASE, documents, values_of
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.kserve_objects import standard_objects
from tests.cluster.kserve_pod import predictor_pod
from tests.cluster.pod_templates import pod_of, pods_in
from tests.cluster.rest import Objects

WITHOUT_PODS = {
    "Certificate",
    "ConfigMap",
    "CustomResourceDefinition",
    "Gateway",
    "HTTPRoute",
    "KafkaNodePool",
    "KafkaTopic",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "PodDisruptionBudget",
    "PodMonitor",
    "PrometheusRule",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "ServiceMonitor",
    "ServingRuntime",
}
BY_OTHERS = {"FeatureStore", "Kafka", "Milvus", "Pipeline", "PipelineVersion"}
"""Their operators make pods of an image and a shape of their own; what the chart can say of security there, it does."""


@pytest.fixture
def objects(cluster: Cluster) -> Objects:
    return Objects(cluster.api_client(), "tests")


def _rendered(helm: Command, namespace: str, profile: str, *more: str) -> list[dict[str, Any]]:
    return documents(helm("template", RELEASE, CHART, "--namespace", namespace, "--values", values_of(profile), *more))


def _all_pods(rendered: list[dict[str, Any]], namespace: str) -> dict[str, dict[str, Any]]:
    pods = dict(pod for each in rendered for pod in pods_in(each))
    runtimes = {each["metadata"]["name"]: each for each in rendered if each["kind"] == "ServingRuntime"}
    for each in rendered:
        if each["kind"] == "InferenceService":
            service = {**each, "metadata": {**each["metadata"], "namespace": namespace, "uid": "none"}}
            merged = predictor_pod(service, runtimes[each["spec"]["predictor"]["model"]["runtime"]])
            deployment = standard_objects(service, merged)[0]
            pods[merged.name] = pod_of(merged.name, deployment["spec"]["template"])
    return {name: {**pod, "metadata": {**pod["metadata"], "namespace": namespace}} for name, pod in pods.items()}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_kind_is_known_to_have_pods_or_none(helm: Command, profile: str) -> None:
    rendered = _rendered(helm, "shop", profile)
    kinds = {each["kind"] for each in rendered if not list(pods_in(each))}
    assert kinds <= WITHOUT_PODS | BY_OTHERS | {"InferenceService"}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_pod_of_a_profile_is_taken(helm: Command, objects: Objects, namespace: str, profile: str) -> None:
    rendered = _rendered(helm, namespace, profile)
    for each in rendered:
        if each["kind"] == "ServiceAccount":
            objects.create({**each, "metadata": {"name": each["metadata"]["name"], "namespace": namespace}})
    pods = _all_pods(rendered, namespace)
    assert f"{RELEASE}-predictor" in pods
    for name, pod in pods.items():
        assert objects.create(pod, dry_run=True)["metadata"]["name"] == name


@pytest.mark.parametrize("profile", PROFILES)
def test_every_container_has_a_read_only_root_and_limits(helm: Command, profile: str) -> None:
    for name, pod in _all_pods(_rendered(helm, "shop", profile), "shop").items():
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"], name
            assert "spark" in container["name"] or set(container["resources"]["limits"]) >= {"cpu", "memory"}, name


@pytest.mark.parametrize(
    ("field", "value"),
    [("allowPrivilegeEscalation", True), ("runAsNonRoot", False), ("capabilities", {"add": ["NET_ADMIN"]}), ("runAsUser", 0)],
)
def test_a_pod_of_the_chart_that_asks_for_more_is_refused(helm: Command, objects: Objects, namespace: str, field: str, value: Any) -> None:
    pods = _all_pods(_rendered(helm, namespace, "minimal"), namespace)
    pod = copy.deepcopy(pods[f"{RELEASE}-predictor"])
    pod["spec"]["serviceAccountName"] = "default"
    objects.create(pod, dry_run=True)
    pod["spec"]["containers"][1]["securityContext"][field] = value
    with pytest.raises(ApiException, match="violates PodSecurity"):
        objects.create(pod, dry_run=True)


def test_knative_pods_are_restricted_by_their_containers_alone(helm: Command, namespace: str, objects: Objects) -> None:
    rendered = _rendered(helm, namespace, "minimal", *KNATIVE)
    pod = _all_pods(rendered, namespace)[f"{RELEASE}-predictor"]
    pod["spec"] = {field: value for field, value in pod["spec"].items() if field != "securityContext"} | {"serviceAccountName": "default"}
    assert objects.create(pod, dry_run=True)["spec"]["containers"]
