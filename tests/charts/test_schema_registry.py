"""The schema registry: its address reaches those who write, and a Job registers the schemas before they do."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"schemaRegistry": {"url": URL}}, "schemaRegistry.url: it names the schemas of values in Kafka, and there is no Kafka"),
        ({"schemaRegistry": {"auth": {"secretName": "login"}}}, "schemaRegistry.url: give the address"),
        (registry(url="http://registry:8080", caSecretName="ca"), "schemaRegistry.caSecretName: http://registry:8080 speaks no TLS"),
    ],
)
def test_what_cannot_work_is_refused_and_named(chart: Chart, values: Document, said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        chart(values)


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
