"""The job that counts clicks, and the folder in which serving pods find what it counted."""

from collections.abc import Callable

import pytest

from tests.charts.chart import Document, Refused, containers, environment, of_kind, one, pod_specs

Chart = Callable[..., list[Document]]


def test_what_the_job_writes_is_what_serving_pods_read(chart: Chart) -> None:
    objects = chart({"stream": {"enabled": False}}, "production")
    found = dict(containers(objects))
    job, transformer = found["CronJob/endcap-evidence:evidence"], found["InferenceService/endcap:transformer-container"]
    assert environment(job)["ENDCAP_SERVING__LIVE_DIR"] == environment(transformer)["ENDCAP_SERVING__LIVE_DIR"] == "/mnt/live"
    assert {"name": "live", "mountPath": "/mnt/live", "subPath": "live"} in job["volumeMounts"]
    assert {"name": "live", "mountPath": "/mnt/live", "subPath": "live", "readOnly": True} in transformer["volumeMounts"]
    claims = {name: _claim(spec) for name, spec in pod_specs(objects) if name.endswith(("/endcap-evidence", "InferenceService/endcap"))}
    assert set(claims.values()) == {"endcap-live"}
    assert one(objects, "PersistentVolumeClaim", "endcap-live")["spec"]["accessModes"] == ["ReadWriteMany"]


def _claim(spec: Document) -> str:
    return next(str(each["persistentVolumeClaim"]["claimName"]) for each in spec["volumes"] if each["name"] == "live")


def test_the_job_reads_the_topic_that_serving_writes(rendered: Callable[[str], list[Document]]) -> None:
    objects = rendered("production")
    found = dict(containers(objects))
    job, transformer = found["CronJob/endcap-evidence:evidence"], found["InferenceService/endcap:transformer-container"]
    topic = environment(job)["ENDCAP_EVENTS__KAFKA_TOPIC"]
    assert topic == environment(transformer)["ENDCAP_EVENTS__KAFKA_TOPIC"] == one(objects, "KafkaTopic", topic)["spec"]["topicName"]
    assert job["args"] == ["--from-kafka", "--keep-days", "70"]
    assert one(objects, "CronJob")["spec"]["concurrencyPolicy"] == "Forbid"


def test_it_needs_kafka(chart: Chart) -> None:
    with pytest.raises(Refused, match=r"kafka\.bootstrap"):
        chart({"evidence": {"enabled": True}})


def test_live_changes_may_be_on_a_claim_of_ones_own(chart: Chart) -> None:
    objects = chart({"serving": {"live": {"claimName": "prices"}}})
    service = dict(pod_specs(objects))["InferenceService/endcap"]
    assert _claim(service) == "prices"
    assert [each["metadata"]["name"] for each in of_kind(objects, "PersistentVolumeClaim")] == ["endcap-bundles"]


def test_guardrails_ask_about_the_releases_namespace(rendered: Callable[[str], list[Document]]) -> None:
    settings = environment(dict(containers(rendered("production")))["Deployment/endcap-rollout-operator:rollout-operator"])
    assert settings["ENDCAP_ROLLOUTS__PROMETHEUS_MATCHERS"] == 'namespace="shop"'
