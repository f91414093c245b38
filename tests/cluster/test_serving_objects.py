"""What KServe makes of the chart's InferenceService and ServingRuntime, as the API server took it."""

import re
from typing import Any

import pytest

from tests.cluster.chart import CHART, KNATIVE, PROFILES, RELEASE, documents, values_of
from tests.cluster.cluster import Cluster
from tests.cluster.command import Command
from tests.cluster.kserve_pod import PREDICTOR, SOURCE_ANNOTATION, TRANSFORMER
from tests.cluster.kserve_standin import KSERVE, KServeStandIn
from tests.cluster.pod_templates import pod_of
from tests.cluster.rest import Objects
from tests.waiting import until

VERSION = "20261124110000"
NOT_YET = "Waiting for runtime"
"""Helm creates InferenceServices before ServingRuntimes."""


@pytest.fixture
def objects(cluster: Cluster) -> Objects:
    return Objects(cluster.api_client(), "tests")


class Serving:
    """The serving part of a profile, applied as Helm renders it."""

    def __init__(self, helm: Command, objects: Objects, namespace: str) -> None:
        self._helm, self._objects = helm, objects
        self.namespace = namespace

    def apply(self, profile: str, *more: str) -> list[dict[str, Any]]:
        """What was rendered of it."""
        arguments = ("template", RELEASE, CHART, "--namespace", self.namespace, "--values", values_of(profile), *more)
        kinds = ("ServiceAccount", "ServingRuntime", "InferenceService")
        rendered = [each for each in documents(self._helm(*arguments)) if each["kind"] in kinds]
        for each in rendered:
            self._make_secrets(each)
            self._objects.apply({**each, "metadata": {**each["metadata"], "namespace": self.namespace}})
        return rendered

    def _make_secrets(self, rendered: dict[str, Any]) -> None:
        """Those that a ServiceAccount names: without its storage secret no pod is made."""
        for secret in rendered.get("secrets", []):
            metadata = {"name": secret["name"], "namespace": self.namespace}
            self._objects.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})

    def status(self, name: str = RELEASE) -> dict[str, Any]:
        return self._objects.get(KSERVE, "InferenceService", self.namespace, name).get("status", {})

    def is_ready(self, name: str = RELEASE) -> bool:
        conditions = {each["type"]: each for each in self.status(name).get("conditions", [])}
        refused = conditions.get("PredictorReady", {})
        assert refused.get("reason") != "ReconcileFailed" or NOT_YET in refused["message"], refused["message"]
        return conditions.get("Ready", {}).get("status") == "True"

    def made(self, api_version: str, kind: str, name: str = f"{RELEASE}-predictor") -> dict[str, Any]:
        until(self.is_ready, f"{RELEASE} ready")
        return self._objects.get(api_version, kind, self.namespace, name)

    def pod(self) -> dict[str, Any]:
        """The pod template of the Deployment."""
        return dict(self.made("apps/v1", "Deployment")["spec"]["template"])

    def containers(self) -> list[dict[str, Any]]:
        return list(self.pod()["spec"]["containers"])


@pytest.fixture
def serving(helm: Command, objects: Objects, namespace: str, kserve: KServeStandIn) -> Serving:
    return Serving(helm, objects, namespace)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_model_server_comes_first_and_the_transformer_beside_it(serving: Serving, objects: Objects, profile: str) -> None:
    serving.apply(profile)
    assert [each["name"] for each in serving.containers()] == [PREDICTOR, TRANSFORMER]
    pod = pod_of("made", serving.pod())
    pod["metadata"]["namespace"] = serving.namespace
    assert objects.create(pod, dry_run=True)["metadata"]["name"] == "made"
    ports = [port["containerPort"] for each in serving.containers() for port in each["ports"]]
    assert sorted(ports) == [8080, 8081, 8500, 8501]


def test_each_container_has_probes_of_its_own(serving: Serving) -> None:
    serving.apply("production")
    model_server, transformer = serving.containers()
    assert model_server["readinessProbe"]["httpGet"] == {"path": "/v1/models/endcap", "port": 8501, "scheme": "HTTP"}
    assert transformer["readinessProbe"]["httpGet"] == {"path": "/v2/health/ready", "port": 8080, "scheme": "HTTP"}
    assert transformer["livenessProbe"]["httpGet"]["path"] == "/v2/health/live"
    for each in (model_server, transformer):
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(each)
        assert each["livenessProbe"] != each["readinessProbe"]


def test_the_model_server_reads_the_bundle_that_kserve_mounts(serving: Serving) -> None:
    serving.apply("production")
    model_server, transformer = serving.containers()
    assert model_server["command"] == ["/usr/bin/tensorflow_model_server"]
    arguments = model_server["args"]
    assert {"--model_name=endcap", "--model_base_path=/mnt/models/endcap", "--port=8500", "--rest_api_port=8501"} <= set(arguments)
    names = [each.partition("=")[0] for each in arguments]
    assert len(names) == len(set(names))
    annotation = serving.pod()["metadata"]["annotations"][SOURCE_ANNOTATION]
    assert annotation == f"pvc://{RELEASE}-bundles/{VERSION}"
    settings = {each["name"]: each.get("value") for each in transformer["env"]}
    assert settings["ENDCAP_SERVING__BUNDLE_DIR"] == "/mnt/models"
    assert settings["INFERENCE_SERVICE_NAME"] == RELEASE
    assert not [
        mount for each in (model_server, transformer) for mount in each["volumeMounts"] if mount["mountPath"].startswith("/mnt/models")
    ]


def test_gpus_are_the_model_servers_and_come_with_their_nodes(serving: Serving) -> None:
    serving.apply("gpu")
    spec = serving.pod()["spec"]
    model_server, transformer = spec["containers"]
    assert model_server["resources"]["limits"]["nvidia.com/gpu"] == model_server["resources"]["requests"]["nvidia.com/gpu"] == "1"
    assert "nvidia.com/gpu" not in transformer["resources"]["limits"]
    assert re.search(r":[\w.]+-gpu$", model_server["image"])
    assert spec["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"} in spec["tolerations"]


def test_a_pod_that_goes_has_time_to_drain(serving: Serving) -> None:
    serving.apply("production")
    spec = serving.pod()["spec"]
    model_server, transformer = spec["containers"]
    settings = {each["name"]: each.get("value") for each in transformer["env"]}
    before = transformer["lifecycle"]["preStop"]["sleep"]["seconds"]
    drained = before + float(settings["ENDCAP_RESILIENCE__UNREADY_SECONDS"]) + float(settings["ENDCAP_RESILIENCE__DRAIN_SECONDS"])
    assert spec["terminationGracePeriodSeconds"] > drained
    assert drained <= model_server["lifecycle"]["preStop"]["sleep"]["seconds"] < spec["terminationGracePeriodSeconds"]


def test_a_rolling_update_never_has_fewer_pods_than_wanted(serving: Serving) -> None:
    serving.apply("production")
    strategy = serving.made("apps/v1", "Deployment")["spec"]["strategy"]
    assert strategy["rollingUpdate"]["maxUnavailable"] == 0


def test_an_hpa_keeps_the_fewest_and_most_pods(serving: Serving) -> None:
    serving.apply("gpu")
    scaler = serving.made("autoscaling/v2", "HorizontalPodAutoscaler")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 8)
    assert scaler["metrics"][0]["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}


def test_keda_scales_on_latency_asked_of_prometheus(serving: Serving) -> None:
    serving.apply("production")
    scaled = serving.made("keda.sh/v1alpha1", "ScaledObject")["spec"]
    assert (scaled["minReplicaCount"], scaled["maxReplicaCount"]) == (3, 24)
    trigger = scaled["triggers"][0]
    assert trigger["type"] == "prometheus"
    assert "histogram_quantile(0.99" in trigger["metadata"]["query"]
    assert trigger["metadata"]["serverAddress"].startswith("http")


def test_the_route_leads_to_the_service_that_kserve_makes(serving: Serving, helm: Command) -> None:
    serving.apply("production")
    ports = serving.made("v1", "Service")["spec"]["ports"]
    assert (ports[0]["port"], ports[0]["targetPort"]) == (80, 8080)
    rendered = documents(helm("template", RELEASE, CHART, "--values", values_of("production")))
    route = next(each for each in rendered if (each["kind"], each["metadata"]["name"]) == ("HTTPRoute", RELEASE))
    backends = next(each["backendRefs"] for each in route["spec"]["rules"] if each["name"] == "traffic")
    assert [(each["name"], each["port"], each["weight"]) for each in backends] == [(f"{RELEASE}-predictor", 80, 100)]


def test_what_selects_serving_pods_selects_those_that_kserve_makes(serving: Serving, helm: Command) -> None:
    serving.apply("production")
    labels = serving.pod()["metadata"]["labels"]
    rendered = documents(helm("template", RELEASE, CHART, "--namespace", serving.namespace, "--values", values_of("production")))
    kinds = ("PodDisruptionBudget", "PodMonitor", "NetworkPolicy")
    ours = [each for each in rendered if each["kind"] in kinds and each["metadata"]["labels"]["app.kubernetes.io/component"] == "serving"]
    selecting = {
        each["kind"]
        for each in ours
        if each["spec"].get("podSelector", each["spec"].get("selector"))["matchLabels"].items() <= labels.items()
    }
    assert selecting == set(kinds)
    spread = serving.pod()["spec"]["topologySpreadConstraints"]
    assert all(each["labelSelector"]["matchLabels"].items() <= labels.items() for each in spread)


def test_an_upgrade_of_the_chart_alone_does_not_restart_pods(serving: Serving) -> None:
    serving.apply("production")
    metadata = serving.pod()["metadata"]
    assert "helm.sh/chart" not in {**metadata["labels"], **metadata["annotations"]}


def _knative(serving: Serving, *more: str) -> None:
    serving.apply("minimal", *KNATIVE, *more)


def test_knative_scales_on_concurrency_within_the_replicas(serving: Serving) -> None:
    _knative(serving)
    template = serving.made("serving.knative.dev/v1", "Service")["spec"]["template"]
    annotations = {key.partition("/")[2]: value for key, value in template["metadata"]["annotations"].items() if "autoscaling" in key}
    assert annotations["min-scale"] == "1"
    assert annotations["max-scale"] == "3"
    assert annotations["metric"] == "concurrency"
    assert [each["name"] for each in template["spec"]["containers"]] == [PREDICTOR, TRANSFORMER]


def test_knative_pods_have_one_port(serving: Serving) -> None:
    _knative(serving)
    containers = serving.made("serving.knative.dev/v1", "Service")["spec"]["template"]["spec"]["containers"]
    assert [port["containerPort"] for each in containers for port in each.get("ports", [])] == [8080]


def test_a_canary_in_knative_mode_gets_its_tenth(serving: Serving) -> None:
    def shares() -> list[tuple[str, int]]:
        predictor = serving.status().get("components", {}).get("predictor", {})
        return [(each["revisionName"][-5:], each["percent"]) for each in predictor.get("traffic", [])]

    _knative(serving)
    until(lambda: shares() == [("00001", 100)], "all to the first revision")
    bundle = ("--set", "serving.bundle.version=20261201090000", "--set", "serving.bundle.override=true")
    _knative(serving, *bundle, "--set", "serving.knative.canaryTrafficPercent=10")
    until(lambda: shares() == [("00002", 10), ("00001", 90)], "a tenth to the second revision")
    assert serving.is_ready()


def test_a_variant_is_a_service_of_its_own_that_the_header_leads_to(serving: Serving, helm: Command) -> None:
    variant = ("--set-json", 'experiments.variants=[{"name": "b", "bundle": {"version": "20261201090000", "collection": "b"}}]')
    arguments = ("template", RELEASE, CHART, "--namespace", serving.namespace, "--values", values_of("production"), *variant)
    serving.apply("production", *variant)
    until(lambda: serving.is_ready(f"{RELEASE}-b"), "the variant ready")
    route = next(each for each in documents(helm(*arguments)) if (each["kind"], each["metadata"]["name"]) == ("HTTPRoute", RELEASE))
    rules = [each["name"] for each in route["spec"]["rules"]]
    assert rules == ["variant-b", "traffic"]
    first = route["spec"]["rules"][0]
    assert first["matches"][0]["headers"] == [{"type": "Exact", "name": "x-endcap-variant", "value": "b"}]
    assert first["backendRefs"][0]["name"] == f"{RELEASE}-b-predictor"
