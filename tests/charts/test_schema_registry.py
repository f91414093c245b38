"""The schema registry: its address reaches those who write, and a Job registers the schemas before they do."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from endcap.contracts.topics import TOPICS, value_subject
from tests.charts.chart import Document, Refused, containers, environment, of_kind, one
from tests.schema_registry.apicurio import running_registry

Chart = Callable[..., list[Document]]
URL = "https://registry.example:8443/apis/ccompat/v7"
COLLECTOR = {"enabled": True, "secretName": "collector-keys"}
WRITERS = ("InferenceService/endcap:transformer-container", "StatefulSet/endcap-collector:collector")


def registry(**values: Any) -> dict[str, Any]:
    """Values of a release whose values in Kafka name their schema."""
    return {"kafka": {"bootstrap": "kafka:9092"}, "collector": COLLECTOR, "schemaRegistry": {"url": URL, **values}}


def _settings(objects: list[Document], name: str) -> dict[str, Any]:
    return environment(dict(containers(objects))[name])


def test_without_an_address_nobody_knows_of_a_registry(objects: list[Document]) -> None:
    assert not any(name.startswith("ENDCAP_SCHEMAS") for _, container in containers(objects) for name in environment(container))
    assert [each for each in objects if each["metadata"]["labels"].get("app.kubernetes.io/component") == "schemas"] == []


def test_whoever_writes_gets_the_address_the_authority_and_what_is_asked_for(chart: Chart) -> None:
    values = registry(auth={"secretName": "registry-login"}, caSecretName="registry-ca")
    objects = chart(values)
    for name in (*WRITERS, "Job/endcap-schemas:schemas"):
        settings = _settings(objects, name)
        assert settings["ENDCAP_SCHEMAS__REGISTRY_URL"] == URL
        assert settings["ENDCAP_SCHEMAS__PASSWORD"] == {"secretKeyRef": {"name": "registry-login", "key": "password"}}
        assert settings["ENDCAP_SCHEMAS__USER"] == {"secretKeyRef": {"name": "registry-login", "key": "user"}}
        mounts = {each["name"]: each["mountPath"] for each in dict(containers(objects))[name]["volumeMounts"]}
        assert settings["ENDCAP_SCHEMAS__CA_FILE"].startswith(mounts["schemas-secret"])
    token = _settings(chart(registry(auth={"kind": "token", "secretName": "registry-login"})), WRITERS[1])
    assert token["ENDCAP_SCHEMAS__TOKEN"] == {"secretKeyRef": {"name": "registry-login", "key": "token"}}
    assert "ENDCAP_SCHEMAS__USER" not in token


def test_a_collector_keeps_the_ids_on_its_volume(chart: Chart) -> None:
    objects = chart(registry())
    assert "ENDCAP_SCHEMAS__IDS_FILE" not in _settings(objects, WRITERS[1])  # under ENDCAP_HOME, which is the volume
    mounts = {each["name"]: each["mountPath"] for each in dict(containers(objects))[WRITERS[1]]["volumeMounts"]}
    assert mounts["data"] == _settings(objects, WRITERS[1])["ENDCAP_HOME"]


def test_a_hook_registers_before_a_new_release_writes(chart: Chart) -> None:
    objects = chart(registry())
    hooks = [each for each in objects if each["metadata"]["name"] == "endcap-schemas"]
    weights = {each["kind"]: int(each["metadata"]["annotations"]["helm.sh/hook-weight"]) for each in hooks}
    assert sorted(weights, key=weights.__getitem__) == ["ServiceAccount", "NetworkPolicy", "Job"]
    assert {each["metadata"]["annotations"]["helm.sh/hook"] for each in hooks} == {"pre-install,pre-upgrade"}
    assert dict(containers(objects))["Job/endcap-schemas:schemas"]["command"] == ["endcap", "schemas", "publish"]


def test_without_hooks_a_job_of_its_own_registers_and_another_release_makes_another(chart: Chart) -> None:
    def name(tag: str) -> str:
        image = {"image": {"tag": tag}}
        objects = chart({**registry(), "hooks": {"enabled": False}, "collector": {**COLLECTOR, **image}})
        (job,) = of_kind(objects, "Job")
        assert "annotations" not in job["metadata"]
        return str(job["metadata"]["name"])

    assert re.fullmatch(r"endcap-schemas-[0-9a-f]{8}", name("1"))
    assert name("1") != name("2")


def test_it_may_be_left_to_others(chart: Chart) -> None:
    objects = chart(registry(publish=False))
    assert of_kind(objects, "Job") == []
    assert _settings(objects, WRITERS[0])["ENDCAP_SCHEMAS__REGISTRY_URL"] == URL


def test_the_port_of_the_registry_is_let_out_of_those_who_ask_it(chart: Chart) -> None:
    objects = chart(registry())
    for name, others in (("endcap-collector", {9092}), ("endcap-serving", {9092}), ("endcap-schemas", {53})):
        policy = one(objects, "NetworkPolicy", name)["spec"]
        assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} >= {8443, *others}


BROUGHT_URL = "http://endcap-schema-registry:8080/apis/ccompat/v7"


def brought(**values: Any) -> dict[str, Any]:
    """Values of a release that runs a registry itself."""
    return {"kafka": {"bootstrap": "kafka:9092"}, "collector": COLLECTOR, "schemaRegistry": {"enabled": True, **values}}


def test_a_registry_of_the_release_is_asked_by_all_who_write(chart: Chart) -> None:
    objects = chart(brought())
    (job,) = of_kind(objects, "Job")
    service = one(objects, "Service", "endcap-schema-registry")["spec"]
    assert f"http://endcap-schema-registry:{service['ports'][0]['port']}/apis/ccompat/v7" == BROUGHT_URL
    for name in (*WRITERS, f"Job/{job['metadata']['name']}:schemas"):
        assert _settings(objects, name)["ENDCAP_SCHEMAS__REGISTRY_URL"] == BROUGHT_URL
    for name in ("endcap-collector", "endcap-serving", job["metadata"]["labels"]["app.kubernetes.io/name"] + "-schemas"):
        egress = one(objects, "NetworkPolicy", name)["spec"]["egress"]
        assert 8080 in {port["port"] for rule in egress for port in rule["ports"]}


def test_its_schemas_are_on_a_volume_that_outlives_it(chart: Chart) -> None:
    stateful = one(chart(brought(persistence={"size": "2Gi", "storageClassName": "fast"})), "StatefulSet", "endcap-schema-registry")["spec"]
    (claim,), (container,) = stateful["volumeClaimTemplates"], stateful["template"]["spec"]["containers"]
    assert claim["spec"]["storageClassName"] == "fast"
    assert claim["spec"]["resources"] == {"requests": {"storage": "2Gi"}}
    assert stateful["persistentVolumeClaimRetentionPolicy"] == {"whenDeleted": "Retain", "whenScaled": "Retain"}
    assert stateful["replicas"] == 1
    mount = next(each["mountPath"] for each in container["volumeMounts"] if each["name"] == claim["metadata"]["name"])
    assert environment(container)["REGISTRY_DATASOURCE_URL"].startswith(f"jdbc:h2:file:{mount}/")
    freed = one(chart(brought(persistence={"keep": False})), "StatefulSet", "endcap-schema-registry")["spec"]
    assert freed["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Delete"


def test_its_pod_is_restricted_has_no_token_and_lets_in_who_writes_alone(chart: Chart) -> None:
    objects = chart(brought())
    pod = one(objects, "StatefulSet", "endcap-schema-registry")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")} == {
        "/health/ready",
        "/health/live",
    }
    policy = one(objects, "NetworkPolicy", "endcap-schema-registry")["spec"]
    (rule,) = policy["ingress"]
    assert [each["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for each in rule["from"]] == [
        "collector",
        "serving",
        "schemas",
    ]
    assert "egress" not in policy


def test_schemas_are_registered_beside_its_start_and_by_no_hook_that_would_wait_for_it(chart: Chart) -> None:
    objects = chart(brought())
    (job,) = of_kind(objects, "Job")
    assert re.fullmatch(r"endcap-schemas-[0-9a-f]{8}", job["metadata"]["name"])
    assert "annotations" not in job["metadata"]
    assert job["spec"]["activeDeadlineSeconds"] > 600
    assert of_kind(chart(brought(publish=False)), "Job") == []


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (brought(url=URL), f"schemaRegistry.url: the release runs a registry itself and {URL} is another one"),
        (brought(auth={"secretName": "login"}), "schemaRegistry.enabled: the registry run here asks clients for nothing"),
        (brought(caSecretName="ca"), "schemaRegistry.enabled: the registry run here asks clients for nothing"),
        ({"schemaRegistry": {"enabled": True}}, "schemaRegistry.enabled: it names the schemas of values in Kafka, and there is no Kafka"),
        ({"schemaRegistry": {"url": URL}}, "schemaRegistry.url: it names the schemas of values in Kafka, and there is no Kafka"),
        ({"schemaRegistry": {"auth": {"secretName": "login"}}}, "schemaRegistry.url: give the address"),
        (registry(url="http://registry:8080", caSecretName="ca"), "schemaRegistry.caSecretName: http://registry:8080 speaks no TLS"),
    ],
)
def test_what_cannot_work_is_refused_and_named(chart: Chart, values: Document, said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        chart(values)


@pytest.mark.processes
def test_the_registry_that_the_chart_runs_keeps_schemas_and_ids_over_a_kill(chart: Chart, tmp_path: Path) -> None:
    objects = chart(brought())
    (container,) = one(objects, "StatefulSet", "endcap-schema-registry")["spec"]["template"]["spec"]["containers"]
    given = {name: value.replace("/data/", f"{tmp_path}/data/") for name, value in environment(container).items()}
    (tmp_path / "data").mkdir()
    (job,) = of_kind(objects, "Job")
    settings = _settings(objects, f"Job/{job['metadata']['name']}:schemas")
    with running_registry(tmp_path, given) as server:
        _publish(settings, server.url, tmp_path)
        subjects = [value_subject(topic.named("endcap")) for topic in TOPICS]
        before = {each: httpx.get(f"{server.url}/subjects/{each}/versions/latest", timeout=60).json()["id"] for each in subjects}
        # What it has answered it keeps, however soon it dies.
        before |= {each: _register(server.url, each) for each in (f"of-the-last-moment-{n}" for n in range(10))}
        server.kill()
        server.start()
        assert {each: httpx.get(f"{server.url}/subjects/{each}/versions/latest", timeout=60).json().get("id") for each in before} == before
        for kind in ("startup", "readiness", "liveness"):
            assert httpx.get(f"{server.root}{container[f'{kind}Probe']['httpGet']['path']}").is_success


def _register(url: str, subject: str) -> object:
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "title": subject}
    answer = httpx.post(f"{url}/subjects/{subject}/versions", json={"schemaType": "JSON", "schema": json.dumps(schema)}, timeout=60)
    assert answer.is_success, answer.text
    return answer.json()["id"]


def _publish(settings: dict[str, Any], url: str, folder: Path) -> None:
    command = [str(Path(sys.executable).with_name("endcap")), "schemas", "publish"]
    environ = {**os.environ, **settings, "ENDCAP_SCHEMAS__REGISTRY_URL": url}
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.processes
def test_the_job_s_settings_register_each_topic_s_schema_in_a_real_registry(chart: Chart, tmp_path: Path) -> None:
    with running_registry(tmp_path) as server:
        objects = chart({**registry(url=server.url), "fullnameOverride": "shop-eu"})
        given = _settings(objects, "Job/shop-eu-schemas:schemas")
        command = [str(Path(sys.executable).with_name("endcap")), "schemas", "publish", "--json"]
        done = subprocess.run(command, env=os.environ | given, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        registered = {(row["subject"], row["outcome"]) for row in json.loads(done.stdout)}
    assert registered == {(value_subject(topic.named("shop-eu")), "registered") for topic in TOPICS}
