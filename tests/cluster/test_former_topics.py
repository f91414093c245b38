"""An upgrade from a release that had no collector keeps that release's topics with their events, and the README's commands drain them."""

import pytest

from tests.cluster.chart import CHART, RELEASE, values_of
from tests.cluster.command import Command, CommandFailed
from tests.cluster.rest import Objects

FORMER = ("endcap-events", "endcap-events-dead-letter")
SETTINGS = ("--values", values_of("minimal"), "--set", "kafka.bootstrap=kafka.shared.svc:9092,kafka.topics.clusterName=shared")
AS_BEFORE = ("--set", "kafka.topics.former.keep=true")
"""The two topics as releases without a collector made them."""
LET_GO = ("--set", "kafka.keep=false")
EVIDENCE = ("--set", "evidence.enabled=true")


def _topics(objects: Objects, namespace: str) -> set[str]:
    return {each["metadata"]["name"] for each in objects.list_all("kafka.strimzi.io/v1", "KafkaTopic", namespace)}


def _run(helm: Command, verb: str, namespace: str, *more: str) -> str:
    return helm(verb, RELEASE, CHART, "--namespace", namespace, *SETTINGS, *more)


def test_an_upgrade_makes_the_new_topics_and_leaves_the_old_ones(helm: Command, objects: Objects, namespace: str) -> None:
    _run(helm, "install", namespace, *AS_BEFORE)
    _run(helm, "upgrade", namespace)
    assert _topics(objects, namespace) >= {
        *FORMER,
        "endcap.events.v1",
        "endcap.impressions.v1",
        "endcap.rejected.v1",
        "endcap.catalogue.v1",
    }


def test_an_upgrade_that_would_delete_events_is_not_begun(helm: Command, kubectl: Command, objects: Objects, namespace: str) -> None:
    _run(helm, "install", namespace, *AS_BEFORE, *LET_GO)
    with pytest.raises(CommandFailed, match=r"kafka\.topics\.former\.keep: this upgrade would delete topic endcap-events"):
        _run(helm, "upgrade", namespace, *LET_GO)
    assert _topics(objects, namespace) >= set(FORMER)
    _run(helm, "upgrade", namespace, *AS_BEFORE, *LET_GO)
    assert _topics(objects, namespace) >= set(FORMER)
    _run(helm, "upgrade", namespace, *AS_BEFORE)
    _run(helm, "upgrade", namespace, *LET_GO)
    assert _topics(objects, namespace) >= set(FORMER)


def test_the_commands_of_the_page_drain_and_remove_them(helm: Command, kubectl: Command, objects: Objects, namespace: str) -> None:
    _run(helm, "install", namespace, *AS_BEFORE, *EVIDENCE)
    kubectl("patch", "cronjob", "endcap-evidence", "--namespace", namespace, "--patch", '{"spec": {"suspend": true}}')
    _run(helm, "upgrade", namespace, *EVIDENCE)
    cron_job = objects.get("batch/v1", "CronJob", namespace, "endcap-evidence")
    assert cron_job["spec"]["suspend"] is True
    made = kubectl("create", "job", "drain", "--from=cronjob/endcap-evidence", "--namespace", namespace, "--dry-run=client", "-o", "yaml")
    drain = kubectl("set", "env", "--local", "-f", "-", "-o", "yaml", "ENDCAP_EVENTS__KAFKA_TOPIC=endcap-events", stdin=made)
    kubectl("create", "--namespace", namespace, "-f", "-", stdin=drain)
    (container,) = objects.get("batch/v1", "Job", namespace, "drain")["spec"]["template"]["spec"]["containers"]
    settings = {each["name"]: each.get("value") for each in container["env"]}
    assert settings["ENDCAP_EVENTS__KAFKA_TOPIC"] == "endcap-events"
    kubectl("delete", "kafkatopic", *FORMER, "--namespace", namespace)
    _run(helm, "upgrade", namespace, *EVIDENCE)
    assert not set(FORMER) & _topics(objects, namespace)
