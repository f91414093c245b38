"""What each profile is for, and what it leaves out."""

from collections.abc import Callable

from tests.charts.chart import CHART, Document, of_kind, one

Rendered = Callable[[str], list[Document]]
WRITERS = {"Role", "Deployment", "PipelineVersion", "Job", "ScheduledSparkApplication", "SparkApplication"}
EVERYTHING = {
    "Certificate",
    "ConfigMap",
    "CronJob",
    "CustomResourceDefinition",
    "Deployment",
    "FeatureStore",
    "Gateway",
    "HTTPRoute",
    "HorizontalPodAutoscaler",
    "InferenceService",
    "Job",
    "Kafka",
    "KafkaNodePool",
    "KafkaTopic",
    "Milvus",
    "NetworkPolicy",
    "Pipeline",
    "PipelineVersion",
    "PodDisruptionBudget",
    "PodMonitor",
    "PrometheusRule",
    "ScheduledSparkApplication",
    "ServiceMonitor",
    "ServingRuntime",
    "StatefulSet",
}


def _operators(objects: list[Document]) -> set[str]:
    """Groups of the custom resources."""
    return {each["apiVersion"].partition("/")[0] for each in objects if "." in each["apiVersion"].partition("/")[0]}


def test_minimal_needs_no_operator_but_kserve(rendered: Rendered) -> None:
    foreign = {group for group in _operators(rendered("minimal")) if not group.endswith(".k8s.io")}
    assert foreign == {"serving.kserve.io"}


def test_production_has_every_part(rendered: Rendered) -> None:
    assert {each["kind"] for each in rendered("production")} >= EVERYTHING


def test_a_serving_region_writes_nothing(rendered: Rendered) -> None:
    objects = rendered("multi-region")
    assert not WRITERS & {each["kind"] for each in objects}
    assert of_kind(objects, "CustomResourceDefinition") == []
    assert one(objects, "InferenceService")["spec"]["predictor"]["model"]["storageUri"].startswith("s3://")


def test_gpu_trains_and_serves_on_gpus(rendered: Rendered) -> None:
    spec = one(rendered("gpu"), "PipelineVersion")["spec"]
    trainer = spec["pipelineSpec"]["deploymentSpec"]["executors"]["exec-train-two-tower"]["container"]
    pod = spec["platformSpec"]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-train-two-tower"]
    assert trainer["resources"]["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert pod["nodeSelector"] == {"labels": {"nvidia.com/gpu.present": "true"}}
    assert spec["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]["batching"]["defaultValue"]["candidates_max"] == 8192


def test_gpu_may_follow_production(chart: Callable[..., list[Document]], rendered: Rendered) -> None:
    objects = chart(None, "production", "--values", str(CHART / "profiles" / "gpu.yaml"))
    assert {each["kind"] for each in objects} == {each["kind"] for each in rendered("production")}
    assert one(objects, "InferenceService")["spec"]["predictor"]["model"]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    gateway = one(objects, "Gateway")
    parents = [each["name"] for route in of_kind(objects, "HTTPRoute") for each in route["spec"]["parentRefs"]]
    assert parents == [gateway["metadata"]["name"]] * 2


def test_alert_rules_and_dashboards_are_the_monitoring_folders(rendered: Rendered) -> None:
    objects = rendered("production")
    rules = {rule["alert"] for group in one(objects, "PrometheusRule")["spec"]["groups"] for rule in group["rules"]}
    assert "EndcapEmptyAnswers" in rules
    dashboards = [each for each in of_kind(objects, "ConfigMap") if each["metadata"]["labels"].get("grafana_dashboard") == "1"]
    assert [list(each["data"]) for each in dashboards] == [["grafana-dashboard.json"]]
