"""Every pod that comes of a profile, also by way of an operator, is taken by the namespace that the profile puts it in.

The release's namespace enforces the restricted standard, the one of the parts the baseline standard.
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from kubernetes.client.rest import ApiException

from tests.cluster.chart import CHART, KNATIVE, PROFILES, RELEASE, documents, values_of
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.kserve_objects import standard_objects
from tests.cluster.kserve_pod import predictor_pod
from tests.cluster.pod_templates import MADE_BY_OPERATORS, pod_of, pods_in
from tests.cluster.rest import Objects

WITHOUT_PODS = {
    "Certificate",
    "ConfigMap",
    "CustomResourceDefinition",
    "Gateway",
    "HTTPRoute",
    "HorizontalPodAutoscaler",
    "KafkaNodePool",
    "KafkaTopic",
    "NetworkPolicy",
    "PersistentVolumeClaim",
    "Pipeline",
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
OWN_CONTAINERS = {"ScheduledSparkApplication", "SparkApplication"}
"""Custom resources whose containers are the chart's; the others' are of their operators."""


@pytest.fixture
def objects(cluster: Cluster) -> Objects:
    return Objects(cluster.api_client(), "tests")


def _rendered(helm: Command, namespace: str, profile: str, *more: str) -> list[dict[str, Any]]:
    return documents(helm("template", RELEASE, CHART, "--namespace", namespace, "--values", values_of(profile), *more))


def _all_pods(rendered: list[dict[str, Any]], namespace: str) -> dict[str, dict[str, Any]]:
    pods = {name: _placed(pod, each, namespace) for each in rendered for name, pod in pods_in(each)}
    runtimes = {each["metadata"]["name"]: each for each in rendered if each["kind"] == "ServingRuntime"}
    for each in rendered:
        if each["kind"] == "InferenceService":
            service = {**each, "metadata": {**each["metadata"], "namespace": namespace, "uid": "none"}}
            merged = predictor_pod(service, runtimes[each["spec"]["predictor"]["model"]["runtime"]])
            deployment = standard_objects(service, merged)[0]
            pods[merged.name] = _placed(pod_of(merged.name, deployment["spec"]["template"]), each, namespace)
    return pods


def _placed(pod: dict[str, Any], of: dict[str, Any], namespace: str) -> dict[str, Any]:
    """The pod in the namespace of the object that it comes of."""
    return {**pod, "metadata": {**pod["metadata"], "namespace": of["metadata"].get("namespace", namespace)}}


@pytest.fixture(scope="module")
def parts_namespace(make_namespace: Callable[[str], str], kubectl: Command) -> str:
    name = make_namespace("parts")
    kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=baseline", "--overwrite")
    return name


@pytest.mark.parametrize("profile", PROFILES)
def test_every_kind_is_known_to_have_pods_or_none(helm: Command, profile: str) -> None:
    rendered = _rendered(helm, "shop", profile)
    kinds = {each["kind"] for each in rendered if not list(pods_in(each))}
    assert kinds <= WITHOUT_PODS | {"InferenceService"}
    assert not kinds & set(MADE_BY_OPERATORS)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_pod_of_a_profile_is_taken_where_the_profile_puts_it(
    helm: Command, objects: Objects, namespace: str, parts_namespace: str, profile: str
) -> None:
    rendered = _rendered(helm, namespace, profile, "--set", f"parts.namespace={parts_namespace}")
    for each in rendered:
        if each["kind"] == "ServiceAccount":
            objects.create({**each, "metadata": {"name": each["metadata"]["name"], "namespace": namespace}})
    pods = _all_pods(rendered, namespace)
    assert f"{RELEASE}-predictor" in pods
    for name, pod in pods.items():
        assert objects.create(pod, dry_run=True)["metadata"]["name"] == name
    apart = {name for name, pod in pods.items() if pod["metadata"]["namespace"] == parts_namespace}
    assert apart == {name for each in rendered if each["kind"] in ("FeatureStore", "Milvus") for name, _ in pods_in(each)}


@pytest.mark.parametrize(
    ("runner", "made"), [("process", {"endcap-stream"}), ("spark", {"endcap-stream-driver", "endcap-stream-executor"})]
)
def test_pods_of_either_runner_of_the_stream_and_of_a_registry_are_taken(
    helm: Command, objects: Objects, namespace: str, runner: str, made: set[str]
) -> None:
    values = f"kafka.bootstrap=kafka:9092,schemaRegistry.enabled=true,stream.enabled=true,stream.secretName=letters,stream.runner={runner}"
    rendered = _rendered(helm, namespace, "minimal", "--set", values)
    for each in rendered:
        if each["kind"] == "ServiceAccount":
            objects.create({**each, "metadata": {"name": each["metadata"]["name"], "namespace": namespace}})
    pods = _all_pods(rendered, namespace)
    assert set(pods) >= made | {"endcap-schema-registry"}
    for name, pod in pods.items():
        assert objects.create(pod, dry_run=True)["metadata"]["name"] == name


def test_pods_of_milvus_and_feast_are_refused_in_the_releases_namespace(helm: Command, objects: Objects, namespace: str) -> None:
    rendered = _rendered(helm, namespace, "production", "--set", "parts.namespace=")
    made = [
        (name, _placed(pod, each, namespace))
        for each in rendered
        if each["kind"] in ("FeatureStore", "Milvus")
        for name, pod in pods_in(each)
    ]
    assert len(made) == 8
    for name, pod in made:
        with pytest.raises(ApiException, match="violates PodSecurity"):
            objects.create(pod, dry_run=True)
        assert name.startswith(("feast-endcap", "endcap-"))


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("Kafka/spec/entityOperator/template", "endcap-entity-operator"),
        ("KafkaNodePool/spec/template", "endcap-endcap-brokers-0"),
        ("ScheduledSparkApplication/spec/template/driver/securityContext", "endcap-features-driver"),
    ],
)
def test_what_the_chart_says_of_security_is_what_lets_operators_pods_in(
    helm: Command, objects: Objects, namespace: str, path: str, made: str
) -> None:
    kind, *steps = path.split("/")
    resource = copy.deepcopy(next(each for each in _rendered(helm, namespace, "production") if each["kind"] == kind))
    assert _refused(resource, objects, namespace) == set()
    place = resource
    for step in steps[:-1]:
        place = place[step]
    del place[steps[-1]]
    assert _refused(resource, objects, namespace) == {made}


def test_without_its_security_context_every_step_of_the_pipeline_is_refused(helm: Command, objects: Objects, namespace: str) -> None:
    rendered = _rendered(helm, namespace, "production", "--set", "pipelines.securityContext=false")
    version = next(each for each in rendered if each["kind"] == "PipelineVersion")
    steps = set(version["spec"]["pipelineSpec"]["deploymentSpec"]["executors"])
    assert _refused(version, objects, namespace) == {f"{version['metadata']['name']}-{each}" for each in steps}


def _refused(resource: dict[str, Any], objects: Objects, namespace: str) -> set[str]:
    """Names of the pods that come of a resource and that Pod Security refuses."""
    found = set()
    for name, pod in pods_in(resource):
        placed = _placed({**pod, "spec": {**pod["spec"], "serviceAccountName": "default"}}, {"metadata": {}}, namespace)
        try:
            objects.create(placed, dry_run=True)
        except ApiException as refused:
            assert "violates PodSecurity" in refused.body
            found.add(name)
    return found


@pytest.mark.parametrize("profile", PROFILES)
def test_every_container_has_a_read_only_root_and_limits(helm: Command, profile: str) -> None:
    rendered = [each for each in _rendered(helm, "shop", profile) if each["kind"] not in set(MADE_BY_OPERATORS) - OWN_CONTAINERS]
    for name, pod in _all_pods(rendered, "shop").items():
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
