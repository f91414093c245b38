"""The collector: pods with a spool of their own, their way in, and how they go."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.charts.chart import Document, Refused, containers, environment, of_kind, one, pod_specs

Chart = Callable[..., list[Document]]
Rendered = Callable[[str], list[Document]]
KAFKA = {"bootstrap": "kafka.shared.svc:9092"}


def collector(**values: Any) -> dict[str, Any]:
    """Values of a release with a collector on a Kafka that is there."""
    return {"kafka": KAFKA, "collector": {"enabled": True, "secretName": "collector-keys", **values}}


def _pod(objects: list[Document]) -> Document:
    return dict(pod_specs(objects))["StatefulSet/endcap-collector"]


def _container(objects: list[Document]) -> Document:
    return dict(containers(objects))["StatefulSet/endcap-collector:collector"]


def test_there_is_none_unless_it_is_switched_on(objects: list[Document], rendered: Rendered) -> None:
    has_collector = objects == rendered("production") or any(each["kind"] == "Kafka" for each in objects)
    assert any(each["metadata"]["name"].startswith("endcap-collector") for each in objects) == has_collector


def test_each_pod_has_a_volume_of_its_own_that_outlives_it(chart: Chart) -> None:
    stateful = one(chart(collector(spool={"size": "20Gi", "storageClassName": "fast"})), "StatefulSet")["spec"]
    (claim,) = stateful["volumeClaimTemplates"]
    assert claim["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": "fast",
        "resources": {"requests": {"storage": "20Gi"}},
    }
    assert stateful["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    freed = one(chart(collector(spool={"keep": False})), "StatefulSet")["spec"]["persistentVolumeClaimRetentionPolicy"]
    assert freed == {"whenDeleted": "Delete", "whenScaled": "Retain"}
    home = environment(stateful["template"]["spec"]["containers"][0])["ENDCAP_HOME"]
    assert {"name": claim["metadata"]["name"], "mountPath": home} in stateful["template"]["spec"]["containers"][0]["volumeMounts"]


def test_its_settings_are_files_addresses_and_bounds_and_no_argument(chart: Chart) -> None:
    values = collector(allowedOrigins=["https://shop.example"], spool={"waitingMax": "2Gi"}, env={"ENDCAP_COLLECTOR__EVENTS_MAX": "500"})
    container = _container(chart({**values, "personIds": {"secretName": "person-ids"}}))
    settings = environment(container)
    assert settings["ENDCAP_EVENTS__KAFKA_BOOTSTRAP"] == "kafka.shared.svc:9092"
    assert settings["ENDCAP_EVENTS__TOPIC_PREFIX"] == "endcap"
    assert settings["ENDCAP_COLLECTOR__SPOOL_BYTES_MAX"] == str(2 * 1024**3)
    assert json.loads(settings["ENDCAP_COLLECTOR__ALLOWED_ORIGINS"]) == ["https://shop.example"]
    assert settings["ENDCAP_COLLECTOR__EVENTS_MAX"] == "500"
    assert settings["ENDCAP_PERSON_IDS__HASHED"] == "true"
    assert not any(name.startswith("ENDCAP_MILVUS") for name in settings)
    assert container["command"] == ["python", "-m", "endcap_collector"]
    assert "args" not in container


def test_its_keys_come_from_a_mounted_folder_so_that_they_change_without_a_restart(chart: Chart) -> None:
    objects = chart(collector())
    settings, pod = environment(_container(objects)), _pod(objects)
    mount = next(each for each in _container(objects)["volumeMounts"] if each["name"] == "collector-secret")
    assert "subPath" not in mount
    secret = next(each for each in pod["volumes"] if each["name"] == "collector-secret")["secret"]
    files = {f"{mount['mountPath']}/{item['path']}" for item in secret["items"]}
    named = {settings[f"ENDCAP_COLLECTOR__{name}_FILE"] for name in ("KEYS", "DEAD_LETTER_KEY", "PIXEL_KEY")}
    assert named == files
    assert secret["secretName"] == "collector-keys"


def test_kafkas_password_file_is_mounted_too(chart: Chart) -> None:
    values = collector()
    objects = chart({**values, "kafka": {**KAFKA, "clientConfig": {"secretName": "kafka-login"}}})
    assert "kafka-login" in json.dumps(_pod(objects)["volumes"])
    assert environment(_container(objects))["ENDCAP_EVENTS__KAFKA_CONFIG_FILE"] == "/etc/endcap/kafka/client.properties"


def test_services_and_probes_reach_the_port_that_it_listens_on(chart: Chart) -> None:
    objects = chart(collector())
    container = _container(objects)
    port = container["ports"][0]
    assert str(port["containerPort"]) == environment(container)["ENDCAP_COLLECTOR__PORT"]
    stateful = one(objects, "StatefulSet")
    called, headless = (one(objects, "Service", f"endcap-collector{end}")["spec"] for end in ("", "-pods"))
    assert headless["clusterIP"] == "None"
    assert stateful["spec"]["serviceName"] == "endcap-collector-pods"
    assert {each["ports"][0]["targetPort"] for each in (called, headless)} == {port["name"]}
    assert called["selector"] == headless["selector"] == stateful["spec"]["selector"]["matchLabels"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "http"}


def test_it_scales_on_cpu_and_loses_one_pod_at_a_time(chart: Chart) -> None:
    objects = chart(collector(replicas={"min": 3, "max": 9}))
    scaler = one(objects, "HorizontalPodAutoscaler")["spec"]
    assert scaler["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "endcap-collector"}
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (3, 9)
    down = scaler["behavior"]["scaleDown"]["policies"]
    assert [(each["type"], each["value"]) for each in down] == [("Pods", 1)]
    assert down[0]["periodSeconds"] >= _pod(objects)["terminationGracePeriodSeconds"]
    assert "replicas" not in one(objects, "StatefulSet")["spec"]
    fixed = chart(collector(replicas={"min": 3, "max": 9}, autoscaling={"enabled": False}))
    assert of_kind(fixed, "HorizontalPodAutoscaler") == []
    assert one(fixed, "StatefulSet")["spec"]["replicas"] == 3


def test_a_pod_that_goes_has_time_to_empty_its_spool_and_to_end(chart: Chart) -> None:
    objects = chart(collector(termination={"preStopSeconds": 7, "drainSeconds": 120, "graceSeconds": 150}))
    command = _container(objects)["lifecycle"]["preStop"]["exec"]["command"]
    given = dict(word.split("=", 1) for word in command if re.match(r"^[A-Z_]+=", word))
    assert (given["PRE_STOP_SECONDS"], given["DRAIN_SECONDS"]) == ("7", "120")
    assert given["HOST"] == f"127.0.0.1:{environment(_container(objects))['ENDCAP_COLLECTOR__PORT']}"
    assert _pod(objects)["terminationGracePeriodSeconds"] == 150


def test_a_route_takes_events_and_pixels_from_the_shops_own_domain(chart: Chart) -> None:
    gateway = {"hostnames": ["shop.example"], "gateway": {"create": True, "className": "class"}}
    objects = chart({**collector(route={"enabled": True, "hostnames": ["events.shop.example"]}), "route": {"enabled": True, **gateway}})
    route = one(objects, "HTTPRoute", "endcap-collector")["spec"]
    assert route["hostnames"] == ["events.shop.example"]
    (rule,) = route["rules"]
    assert [each["path"] for each in rule["matches"]] == [{"type": "Exact", "value": path} for path in ("/v1/events", "/v1/pixel")]
    assert [(each["name"], each["port"]) for each in rule["backendRefs"]] == [("endcap-collector", 80)]
    made = one(objects, "Gateway")
    assert route["parentRefs"][0]["name"] == made["metadata"]["name"]
    assert [each["hostname"] for each in made["spec"]["listeners"]] == ["shop.example", "events.shop.example"]


def test_metrics_and_health_are_not_routed_and_items_only_when_asked_for(chart: Chart) -> None:
    paths = [
        each["path"]["value"]
        for values in ({"enabled": True}, {"enabled": True, "items": True})
        for each in one(chart(collector(route=values)), "HTTPRoute")["spec"]["rules"][0]["matches"]
    ]
    assert paths == ["/v1/events", "/v1/pixel", "/v1/events", "/v1/pixel", "/v1/items"]


def test_a_serving_route_for_all_hosts_stays_one_beside_the_collectors(chart: Chart) -> None:
    gateway = {"create": True, "className": "class"}
    objects = chart(
        {**collector(route={"enabled": True, "hostnames": ["events.shop.example"]}), "route": {"enabled": True, "gateway": gateway}}
    )
    (listener,) = one(objects, "Gateway")["spec"]["listeners"]
    assert "hostname" not in listener


def test_a_certificate_names_the_collectors_host_too(rendered: Rendered) -> None:
    assert one(rendered("production"), "Certificate")["spec"]["dnsNames"] == ["recommendations.example.com", "events.example.com"]


def test_a_collector_without_serving_has_a_route_and_a_gateway_of_its_own(chart: Chart) -> None:
    route = {"gateway": {"create": True, "className": "class"}}
    objects = chart({**collector(route={"enabled": True}), "serving": {"enabled": False}, "route": route})
    assert one(objects, "HTTPRoute")["metadata"]["name"] == "endcap-collector"
    assert one(objects, "Gateway")


def test_only_named_namespaces_send_events_and_only_kafka_is_reached(chart: Chart) -> None:
    network = {"clientNamespaces": ["storefront"], "collectorNamespaces": ["edge"], "monitoringNamespaces": ["monitoring"]}
    policy = one(chart({**collector(), "networkPolicies": network}), "NetworkPolicy", "endcap-collector")["spec"]
    sends, scrapes, tests = policy["ingress"]
    assert [_namespaces(rule) for rule in (sends, scrapes)] == [["edge"], ["monitoring"]]
    assert tests["from"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "test"
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {9092}
    plain = one(chart({**collector(), "networkPolicies": {"clientNamespaces": ["storefront"]}}), "NetworkPolicy", "endcap-collector")
    assert _namespaces(plain["spec"]["ingress"][0]) == ["storefront"]


def _namespaces(rule: Document) -> list[str]:
    selectors = [each["namespaceSelector"] for each in rule["from"] if "namespaceSelector" in each]
    return [name for each in selectors for name in each["matchExpressions"][0]["values"]]


def test_its_pods_are_scraped_and_its_metrics_are_shown_and_watched(rendered: Rendered) -> None:
    objects = rendered("production")
    monitor, stateful = one(objects, "PodMonitor", "endcap-collector")["spec"], one(objects, "StatefulSet", "endcap-collector")["spec"]
    assert monitor["selector"]["matchLabels"].items() <= stateful["template"]["metadata"]["labels"].items()
    assert monitor["podMetricsEndpoints"][0]["port"] == "http"
    rules = json.dumps(one(objects, "PrometheusRule")["spec"])
    dashboards = json.dumps([each["data"] for each in of_kind(objects, "ConfigMap") if "grafana_dashboard" in each["metadata"]["labels"]])
    for metric in ("endcap_collector_spool_waiting_bytes", "endcap_collector_spool_oldest_seconds"):
        assert metric in rules
        assert metric in dashboards


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"collector": {"enabled": True, "secretName": "keys"}}, "collector.enabled: events go on to Kafka"),
        (collector(secretName=""), "collector.secretName: name the secret"),
        (collector(replicas={"min": 4, "max": 3}), "collector.replicas: min is larger than max"),
        (collector(termination={"drainSeconds": 90}), "collector.termination.graceSeconds: 90 is too short"),
        (collector(spool={"size": "1Gi"}), "collector.spool.size: 1Gi is too small"),
        ({"collector": {"route": {"enabled": True}}}, "collector.route.enabled: there is no collector"),
    ],
)
def test_what_cannot_work_is_refused_and_named(chart: Chart, values: Document, said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        chart(values)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (collector(replica={"min": 1}), "replica"),
        (collector(keys="plain"), "keys"),
        (collector(allowedOrigins=["shop.example/page"]), "allowedOrigins"),
        (collector(env={"ENDCAP_SCHEMAS__PASSWORD": "hidden"}), "ENDCAP_SCHEMAS__PASSWORD"),
        (collector(spool={"size": "much"}), "size"),
    ],
)
def test_unknown_and_secret_values_are_refused_by_the_schema(chart: Chart, values: Document, named: str) -> None:
    with pytest.raises(Refused, match="values don't meet the specifications") as refused:
        chart(values)
    assert named in str(refused.value)
