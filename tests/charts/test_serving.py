"""The InferenceServices and their way in, in both deployment modes."""

import json
import re
from collections.abc import Callable

import pytest

from tests.charts.chart import KNATIVE, NAMESPACE, ROOT, Document, environment, of_kind, one

Rendered = Callable[[str], list[Document]]
Chart = Callable[..., list[Document]]
OBJECT_STORAGE = {"bundles": {"storageUri": "s3://shop/bundles"}, "networkPolicies": {"objectStorage": True}}


def test_the_runtime_serves_the_bundle_on_ports_that_are_not_the_transformers(objects: list[Document]) -> None:
    container = one(objects, "ServingRuntime")["spec"]["containers"][0]
    assert container["name"] == "kserve-container"
    assert {"--model_name=endcap", "--model_base_path=/mnt/models/endcap", "--port=8500", "--rest_api_port=8501"} <= set(container["args"])
    assert not any("batching" in each for each in container["args"])


def test_the_transformer_stands_beside_the_model(objects: list[Document]) -> None:
    for each in of_kind(objects, "InferenceService"):
        predictor = each["spec"]["predictor"]
        assert predictor["model"]["runtime"] == one(objects, "ServingRuntime")["metadata"]["name"]
        assert [container["name"] for container in predictor["containers"]] == ["transformer-container"]
        assert "transformer" not in each["spec"]
        settings = environment(predictor["containers"][0])
        assert settings["ENDCAP_MODEL_SERVER__HOST"] == "127.0.0.1"
        assert settings["ENDCAP_SERVING__BUNDLE_DIR"] == "/mnt/models"


def test_impressions_say_which_service_made_them(chart: Chart) -> None:
    """A candidate is a copy of the stable service under its own name; Knative refuses a reference to a pod's label."""
    for values, name in (({}, {"fieldRef": {"fieldPath": "metadata.labels['serving.kserve.io/inferenceservice']"}}), (KNATIVE, "endcap")):
        container = one(chart(values), "InferenceService")["spec"]["predictor"]["containers"][0]
        assert environment(container)["ENDCAP_SERVING__SERVICE_NAME"] == name


def test_a_model_has_no_name_of_its_own(objects: list[Document]) -> None:
    """KServe's webhook refuses one: "the 'name' field is not allowed in standard predictor" (since 0.16)."""
    for each in of_kind(objects, "InferenceService"):
        assert "name" not in each["spec"]["predictor"]["model"]


def test_the_live_claim_is_mounted_for_reading_alone(rendered: Rendered) -> None:
    """Knative refuses a claim that may be written: "Persistent volume write support is disabled"."""
    volumes = {each["name"]: each for each in one(rendered("production"), "InferenceService")["spec"]["predictor"]["volumes"]}
    assert volumes["live"]["persistentVolumeClaim"]["readOnly"] is True


def test_a_version_is_written_out_in_full(rendered: Rendered) -> None:
    service = one(rendered("minimal"), "InferenceService")
    assert service["spec"]["predictor"]["model"]["storageUri"] == "pvc://endcap-bundles/20261124110000"
    assert service["metadata"]["annotations"]["endcap.dev/bundle"] == "20261124110000"


def test_no_bundle_no_inference_service(chart: Chart) -> None:
    objects = chart({"serving": {"bundle": {"version": None, "collection": ""}}})
    assert of_kind(objects, "InferenceService") == []
    assert of_kind(objects, "ServingRuntime")


def test_a_standard_service_keeps_kserve_from_making_a_route_of_the_same_name(rendered: Rendered) -> None:
    objects = rendered("production")
    service, route = one(objects, "InferenceService"), one(objects, "HTTPRoute", "endcap")
    assert service["metadata"]["name"] == route["metadata"]["name"]
    assert service["metadata"]["labels"]["networking.kserve.io/visibility"] == "cluster-local"


def test_updates_take_no_pod_away_before_another_is_ready(rendered: Rendered) -> None:
    strategy = one(rendered("production"), "InferenceService")["spec"]["predictor"]["deploymentStrategy"]
    assert strategy["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_production_has_replicas_to_lose(rendered: Rendered) -> None:
    objects = rendered("production")
    assert one(objects, "InferenceService")["spec"]["predictor"]["minReplicas"] >= 2
    budgets = {each["metadata"]["name"]: each["spec"]["selector"]["matchLabels"] for each in of_kind(objects, "PodDisruptionBudget")}
    assert (
        budgets.pop("endcap-collector").items()
        <= one(objects, "StatefulSet", "endcap-collector")["spec"]["selector"]["matchLabels"].items()
    )
    assert one(objects, "HorizontalPodAutoscaler", "endcap-collector")["spec"]["minReplicas"] >= 2
    selected = {name: labels["serving.kserve.io/inferenceservice"] for name, labels in budgets.items()}
    assert selected == {"endcap": "endcap", "endcap-candidate": "endcap-candidate"}


def test_hpa_scales_on_cpu(rendered: Rendered) -> None:
    service = one(rendered("minimal"), "InferenceService")
    assert service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "hpa"
    assert service["spec"]["predictor"]["scaleMetric"] == "cpu"


def test_keda_scales_to_the_pods_that_would_keep_the_latency(rendered: Rendered) -> None:
    service = one(rendered("production"), "InferenceService")
    external = service["spec"]["predictor"]["autoScaling"]["metrics"][0]["external"]
    assert service["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "keda"
    assert external["target"] == {"type": "Value", "value": "1"}  # KServe hands it on as the average of a pod
    assert f'namespace="{NAMESPACE}",pod=~"endcap-predictor-.*"' in external["metric"]["query"]


def test_gpus_are_asked_for_where_they_are(rendered: Rendered) -> None:
    objects = rendered("gpu")
    predictor = one(objects, "InferenceService")["spec"]["predictor"]
    assert predictor["model"]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert predictor["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert predictor["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    container = one(objects, "ServingRuntime")["spec"]["containers"][0]
    assert container["image"].endswith("-gpu")
    assert "--enable_model_warmup=true" in container["args"]


@pytest.mark.parametrize(("profile", "suffix"), [("minimal", ""), ("gpu", "-gpu")])
def test_bundles_are_served_by_the_tensorflow_that_made_them(rendered: Rendered, profile: str, suffix: str) -> None:
    locked = re.search(r"^tensorflow==(\S+)", (ROOT / "requirements" / "all.txt").read_text(), flags=re.MULTILINE)
    assert locked is not None
    assert one(rendered(profile), "ServingRuntime")["spec"]["containers"][0]["image"] == f"tensorflow/serving:{locked[1]}{suffix}"


def test_on_knative_one_port_is_declared_and_nothing_it_refuses(rendered: Rendered) -> None:
    objects = rendered("minimal on Knative")
    service = one(objects, "InferenceService")
    predictor = service["spec"]["predictor"]
    runtime = one(objects, "ServingRuntime")["spec"]["containers"][0]
    assert predictor["containers"][0]["ports"] == [{"name": "http1", "containerPort": 8080, "protocol": "TCP"}]
    assert not {"ports", "lifecycle", "readinessProbe", "livenessProbe", "startupProbe"} & set(runtime)
    assert "lifecycle" not in predictor["containers"][0]
    refused = {"terminationGracePeriodSeconds", "deploymentStrategy", "securityContext", "topologySpreadConstraints", "nodeSelector"}
    assert not refused & set(predictor)
    assert service["metadata"]["annotations"]["autoscaling.knative.dev/metric"] == "concurrency"
    assert of_kind(objects, "HTTPRoute") == []


def test_on_knative_pods_with_bundles_in_object_storage_keep_the_restricted_standard(chart: Chart) -> None:
    predictor = one(chart({**KNATIVE, **OBJECT_STORAGE}), "InferenceService")["spec"]["predictor"]
    assert predictor["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


@pytest.mark.parametrize(
    "values",
    [KNATIVE, {**OBJECT_STORAGE, "serving": {**KNATIVE["serving"], "knative": {"podSecurityContext": False}}, "route": KNATIVE["route"]}],
    ids=["claim", "switched off"],
)
def test_on_knative_the_security_context_is_left_out_where_nothing_needs_it(chart: Chart, values: Document) -> None:
    assert "securityContext" not in one(chart(values), "InferenceService")["spec"]["predictor"]


def test_no_annotation_of_the_pods_follows_the_runtime(chart: Chart) -> None:
    """KServe watches the ServingRuntime itself; an annotation would roll the pods before the runtime is there."""
    before = one(chart(), "InferenceService")
    assert "annotations" not in before["spec"]["predictor"]
    assert one(chart({"serving": {"modelServer": {"image": {"tag": "9.9.9"}, "extraArgs": ["--v=1"]}}}), "InferenceService") == before


def test_on_knative_a_share_of_the_traffic_can_be_given(chart: Chart) -> None:
    values = {**KNATIVE, "serving": {**KNATIVE["serving"], "knative": {"canaryTrafficPercent": 10}}}
    assert one(chart(values), "InferenceService")["spec"]["predictor"]["canaryTrafficPercent"] == 10


def test_variants_have_a_service_a_rule_and_a_budget_each(rendered: Rendered) -> None:
    objects = rendered("production with variants")
    rules = one(objects, "HTTPRoute", "endcap")["spec"]["rules"]
    assert [rule["name"] for rule in rules] == ["variant-bold", "variant-calm", "traffic"]
    assert rules[0]["matches"][0]["headers"] == [{"type": "Exact", "name": "x-endcap-variant", "value": "bold"}]
    assert rules[0]["backendRefs"][0]["name"] == "endcap-bold-predictor"
    bold = one(objects, "InferenceService", "endcap-bold")
    assert bold["spec"]["predictor"]["model"]["storageUri"] == "pvc://endcap-bundles/20261123110000"
    settings = environment(bold["spec"]["predictor"]["containers"][0])
    assert (settings["ENDCAP_SERVING__VARIANT"], settings["ENDCAP_SERVING__K_DEFAULT"]) == ("bold", "20")
    assert bold["metadata"]["labels"]["endcap.dev/track"] == "variant"
    budgets = {each["metadata"]["name"] for each in of_kind(objects, "PodDisruptionBudget")}
    assert budgets == {"endcap", "endcap-candidate", "endcap-bold", "endcap-calm", "endcap-collector"}


def test_at_rest_all_traffic_goes_to_the_stable_service(rendered: Rendered) -> None:
    rule = one(rendered("production"), "HTTPRoute", "endcap")["spec"]["rules"][-1]
    assert rule["name"] == "traffic"
    assert "headers" not in rule["matches"][0]
    assert [(each["name"], each["port"], each["weight"]) for each in rule["backendRefs"]] == [("endcap-predictor", 80, 100)]


@pytest.mark.parametrize("secret", [True, False])
def test_what_redis_asks_for_stays_in_its_secret(chart: Chart, secret: bool) -> None:
    auth = {"secretName": "redis-login", "key": "login"} if secret else {}
    settings = environment(one(chart({"redis": {"auth": auth, "tls": True}}), "InferenceService")["spec"]["predictor"]["containers"][0])
    if secret:
        assert settings["FEAST_REDIS"] == 'redis.redis.svc:6379,password="$(FEAST_REDIS_AUTH)",ssl=true'
        assert list(settings).index("FEAST_REDIS_AUTH") < list(settings).index("FEAST_REDIS")
        assert settings["FEAST_REDIS_AUTH"] == {"secretKeyRef": {"name": "redis-login", "key": "login"}}
    else:
        assert settings["FEAST_REDIS"] == "redis.redis.svc:6379,ssl=true"


def test_no_consent_is_taken_for_given_unless_the_values_say_so(objects: list[Document], chart: Chart) -> None:
    assert _consents(objects) == {("false", "false")}
    assert _consents(chart({"serving": {"consent": {"analytics": True}}})) == {("false", "true")}


def _consents(objects: list[Document]) -> set[tuple[str, str]]:
    """Personalisation and analytics as the transformers are given them, of stable and variants."""
    services = of_kind(objects, "InferenceService")
    given = [environment(each["spec"]["predictor"]["containers"][0]) for each in services]
    return {(each["ENDCAP_CONSENT__PERSONALISATION"], each["ENDCAP_CONSENT__ANALYTICS"]) for each in given}


def test_ids_are_hashed_by_the_secrets_key_alone(chart: Chart) -> None:
    assert "ENDCAP_PERSON_IDS__HASHED" not in json.dumps(chart())
    spec = one(chart({"personIds": {"secretName": "id-key"}}), "InferenceService")["spec"]["predictor"]
    container = spec["containers"][0]
    settings = environment(container)
    assert settings["ENDCAP_PERSON_IDS__HASHED"] == "true"
    folder, _, name = settings["ENDCAP_PERSON_IDS__KEY_FILE"].rpartition("/")
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    (secret,) = [volume["secret"] for volume in spec["volumes"] if volume["name"] == mounts[folder]]
    assert secret["secretName"] == "id-key"
    assert [item["path"] for item in secret["items"]] == [name]
