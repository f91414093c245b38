"""Pods and their containers: restricted security, probes, resources, images, settings, room to drain."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from pydantic import BaseModel

from endcap.core.settings import Settings
from tests.charts.chart import VARIANTS, Document, Refused, containers, environment, of_kind, one, pod_specs

DIGEST = "sha256:" + "0" * 64
JOBS = ("Pod/", "CronJob/", "Job/")
"""Pods that end by themselves: nobody probes them."""
WRITABLE = {"/tmp", "/var/lib/endcap", "/data", "/mnt/live"}  # noqa: S108 - where emptyDir volumes are mounted


def test_containers_keep_the_restricted_standard(objects: list[Document]) -> None:
    for name, container in containers(objects):
        security = container["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] == 10_001, name
        assert security["readOnlyRootFilesystem"] is True, name
        assert security["allowPrivilegeEscalation"] is False, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name


def test_spark_pods_keep_the_restricted_standard(rendered: Callable[[str], list[Document]]) -> None:
    template = one(rendered("production"), "ScheduledSparkApplication")["spec"]["template"]
    for pod in (template["driver"], template["executor"]):
        assert pod["podSecurityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert pod["securityContext"]["readOnlyRootFilesystem"] is True


def test_only_parts_that_call_the_api_server_get_a_token(objects: list[Document]) -> None:
    with_token = {name for name, spec in pod_specs(objects) if spec["automountServiceAccountToken"]}
    assert with_token <= {"Deployment/endcap-rollout-operator"}


def test_every_pod_has_an_account_of_its_own(objects: list[Document]) -> None:
    pods = [(name, spec.get("serviceAccountName")) for name, spec in pod_specs(objects) if not name.startswith("Pod/")]
    assert all(account in {each["metadata"]["name"] for each in of_kind(objects, "ServiceAccount")} for _, account in pods)


def test_containers_have_three_probes_of_their_own(objects: list[Document]) -> None:
    is_knative = of_kind(objects, "InferenceService")[0]["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Knative"
    for name, container in containers(objects):
        if name.startswith(JOBS) or (is_knative and name.endswith(":kserve-container")):
            continue
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= set(container), name
        assert container["startupProbe"]["failureThreshold"] * container["startupProbe"]["periodSeconds"] >= 60, name


def test_probes_ask_ports_of_their_own_container(objects: list[Document]) -> None:
    for name, container in containers(objects):
        own = {port["containerPort"] for port in container.get("ports", [])} | {port["name"] for port in container.get("ports", [])}
        asked = {
            action["port"]
            for probe in ("startupProbe", "readinessProbe", "livenessProbe")
            for action in [container.get(probe, {}).get("httpGet") or container.get(probe, {}).get("tcpSocket")]
            if action
        }
        assert asked <= own, name


def test_no_port_is_used_twice_in_a_pod(objects: list[Document]) -> None:
    for name, spec in pod_specs(objects):
        ports = [port for container in spec["containers"] for port in container.get("ports", [])]
        assert [number for number, times in Counter(port["containerPort"] for port in ports).items() if times > 1] == [], name
        assert [port for port, times in Counter(port["name"] for port in ports).items() if times > 1] == [], name


def test_containers_ask_for_cpu_and_memory_and_bound_them(objects: list[Document]) -> None:
    for name, container in containers(objects):
        assert {"cpu", "memory"} <= set(container["resources"]["requests"]), name
        assert {"cpu", "memory"} <= set(container["resources"]["limits"]), name


def test_every_mount_has_its_volume_and_every_volume_is_mounted(objects: list[Document]) -> None:
    for name, spec in pod_specs(objects):
        mounted = {mount["name"] for container in spec["containers"] for mount in container.get("volumeMounts", [])}
        own = {volume["name"] for volume in spec.get("volumes", [])}
        claims = {"data"} if name.startswith("StatefulSet/") else set()
        assert mounted - claims == own - (claims - mounted), name


def test_what_is_mounted_for_writing_is_where_the_images_write(objects: list[Document]) -> None:
    for name, container in containers(objects):
        writable = {mount["mountPath"] for mount in container.get("volumeMounts", []) if not mount.get("readOnly")}
        assert writable <= WRITABLE, name


def test_images_have_a_tag_that_is_not_latest(objects: list[Document]) -> None:
    images = {container["image"] for _, container in containers(objects)}
    assert all(re.search(r":(?!latest)[A-Za-z0-9._-]+$", image) for image in images)


def test_a_digest_wins_over_the_tag_and_the_registry_goes_before_it(chart: Callable[..., list[Document]]) -> None:
    image = {"tag": "7", "digest": DIGEST}
    given = {
        "images": {"registry": "registry.example.com/shop"},
        "serving": {"transformer": {"image": image}, "modelServer": {"image": image}},
    }
    images = {container["name"]: container["image"] for _, container in containers(chart(given))}
    assert images["transformer-container"] == f"registry.example.com/shop/endcap/transformer@{DIGEST}"
    assert images["kserve-container"] == f"registry.example.com/shop/tensorflow/serving@{DIGEST}"


def test_pull_secrets_reach_every_pod(chart: Callable[..., list[Document]]) -> None:
    for name, spec in pod_specs(chart({"images": {"pullSecrets": ["registry-login"]}}, "production")):
        assert spec["imagePullSecrets"] == [{"name": "registry-login"}], name


def test_every_setting_is_one_that_endcap_knows(objects: list[Document]) -> None:
    known = set(_variables(Settings, "ENDCAP_"))
    used = {variable for _, container in containers(objects) for variable in environment(container) if variable.startswith("ENDCAP_")}
    assert used
    assert used - known == set()


def test_settings_of_pipeline_steps_are_ones_that_endcap_knows(rendered: Callable[[str], list[Document]]) -> None:
    known = set(_variables(Settings, "ENDCAP_"))
    executors = one(rendered("production"), "PipelineVersion")["spec"]["pipelineSpec"]["deploymentSpec"]["executors"]
    used = {variable for each in executors.values() for variable in environment(each["container"]) if variable.startswith("ENDCAP_")}
    assert "ENDCAP_ROLLOUTS__TARGET" in used
    assert used - known == set()


def _variables(model: type[BaseModel], prefix: str) -> list[str]:
    names: list[str] = []
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            names += _variables(inner, f"{prefix}{name.upper()}__")
        else:
            names.append(f"{prefix}{name.upper()}")
    return names


def test_settings_have_values_that_endcap_takes(objects: list[Document], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, container in containers(objects):
        given = {key: value for key, value in environment(container).items() if key.startswith("ENDCAP_") and isinstance(value, str)}
        with monkeypatch.context() as environ:
            for key, value in given.items():
                environ.setenv(key, value)
            settings = Settings()
        if name.endswith(("transformer-container", "rollout-operator")):
            assert settings.profile == "cluster", name
            assert settings.milvus.managed is False, name


def test_a_pod_has_longer_to_go_than_its_drain_takes(objects: list[Document]) -> None:
    for name, spec in pod_specs(objects):
        if not name.startswith("InferenceService/") or "terminationGracePeriodSeconds" not in spec:
            continue
        before = {each["name"]: each["lifecycle"]["preStop"]["sleep"]["seconds"] for each in spec["containers"]}
        settings = environment(spec["containers"][1])
        drain = float(settings["ENDCAP_RESILIENCE__DRAIN_SECONDS"]) + float(settings["ENDCAP_RESILIENCE__UNREADY_SECONDS"])
        assert spec["terminationGracePeriodSeconds"] > before["transformer-container"] + drain, name
        assert before["kserve-container"] >= before["transformer-container"] + drain, name


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"serving": {"termination": {"graceSeconds": 15}}}, "graceSeconds: 15 is too short"),
        ({"serving": {"resilience": {"drainSeconds": 60}}}, "graceSeconds: 45 is too short"),
        ({"serving": {"deploymentMode": "Knative", "timeoutSeconds": 10}}, "timeoutSeconds: 10 is too short"),
        ({"serving": {"replicas": {"min": 9, "max": 3}}}, "min is larger than max"),
        ({"serving": {"knative": {"canaryTrafficPercent": 10}}}, "KServe ignores it in Standard mode"),
        (VARIANTS, "switch on route.enabled"),
        ({"milvus": {"host": ""}}, "milvus.host: give the host"),
        ({"redis": {"host": ""}}, "redis.host: give the host"),
        ({"redis": {"enabled": True}}, "redis.auth.secretName"),
        ({"feast": {"registry": {"secretName": ""}}}, "feast.registry.secretName"),
    ],
)
def test_values_that_contradict_each_other_are_refused(chart: Callable[..., list[Document]], values: Document, said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        chart(values)


def test_the_operator_answers_probes_and_scrapes_from_outside_its_pod(rendered: Callable[[str], list[Document]]) -> None:
    container = one(rendered("production"), "Deployment")["spec"]["template"]["spec"]["containers"][0]
    settings = environment(container)
    ports = {port["name"]: str(port["containerPort"]) for port in container["ports"]}
    assert settings["ENDCAP_ROLLOUTS__HOST"] == "0.0.0.0"  # noqa: S104 - inside a pod
    assert ports == {"health": settings["ENDCAP_ROLLOUTS__HEALTH_PORT"], "metrics": settings["ENDCAP_ROLLOUTS__METRICS_PORT"]}
    assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "health"}
