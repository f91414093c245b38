"""Topics: those of the contracts, under the release's name, written and read by the same names everywhere."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from endcap.contracts.topics import IMPRESSIONS, TOPICS
from tests.charts.chart import Document, Refused, called, containers, environment, of_kind, one

Chart = Callable[..., list[Document]]
FORMER = ("endcap-events", "endcap-events-dead-letter")
EXISTING = {"bootstrap": "kafka.shared.svc:9092", "topics": {"clusterName": "shared"}}
COLLECTOR = {"enabled": True, "secretName": "collector-keys"}


def _topics(objects: list[Document]) -> dict[str, Document]:
    return {each["spec"]["topicName"]: each["spec"] for each in of_kind(objects, "KafkaTopic")}


def _written(objects: list[Document], container: str) -> dict[str, Any]:
    return environment(dict(containers(objects))[container])


def test_each_contract_has_its_topic_under_the_release_s_full_name(chart: Chart) -> None:
    assert set(_topics(chart(None, "production"))) == {topic.named("endcap") for topic in TOPICS}
    named = chart({"fullnameOverride": "shop-eu"}, "production")
    assert set(_topics(named)) == {topic.named("shop-eu") for topic in TOPICS}
    prefixes = {settings["ENDCAP_EVENTS__TOPIC_PREFIX"] for settings in _of_kafka(named)}
    assert prefixes == {"shop-eu"}


def _of_kafka(objects: list[Document]) -> list[dict[str, Any]]:
    return [settings for _, container in containers(objects) if "ENDCAP_EVENTS__KAFKA_BOOTSTRAP" in (settings := environment(container))]


@pytest.mark.parametrize("has_evidence", [True, False])
def test_serving_writes_impressions_to_a_topic_that_is_made_and_its_job_reads(chart: Chart, has_evidence: bool) -> None:
    objects = chart({"evidence": {"enabled": has_evidence}}, "production")
    topic = _written(objects, "InferenceService/endcap:transformer-container")["ENDCAP_EVENTS__KAFKA_TOPIC"]
    assert topic == IMPRESSIONS.named("endcap")
    assert topic in _topics(objects)
    if has_evidence:
        assert _written(objects, "CronJob/endcap-evidence:evidence")["ENDCAP_EVENTS__KAFKA_TOPIC"] == topic


def test_partitions_and_retention_are_values_of_each(chart: Chart) -> None:
    topics = {"events": {"partitions": 48, "retentionHours": 24}, "rejected": {"partitions": 1}}
    made = _topics(chart({"kafka": {"topics": topics}}, "production"))
    assert (made["endcap.events.v1"]["partitions"], made["endcap.events.v1"]["config"]["retention.ms"]) == (48, 24 * 3_600_000)
    assert made["endcap.rejected.v1"]["partitions"] == 1
    assert made["endcap.impressions.v1"]["partitions"] == 12


@pytest.mark.parametrize(
    ("kafka", "copies", "in_sync"),
    [
        ({"enabled": True, "replicas": 3}, 3, 2),
        ({"enabled": True, "replicas": 1}, 1, 1),
        ({"enabled": True, "replicas": 2}, 2, 1),
        ({"enabled": True, "replicas": 5, "topics": {"replicas": 5, "minInSyncReplicas": 3}}, 5, 3),
        ({**EXISTING, "topics": {"clusterName": "shared", "replicas": 2}}, 2, 1),
        (EXISTING, 3, 2),
    ],
)
def test_a_message_counts_when_all_copies_but_one_have_it(chart: Chart, kafka: Document, copies: int, in_sync: int) -> None:
    for spec in _topics(chart({"kafka": kafka})).values():
        assert (spec["replicas"], spec["config"]["min.insync.replicas"]) == (copies, in_sync)


def test_topics_are_made_on_an_existing_cluster_of_strimzis_and_on_no_other(chart: Chart) -> None:
    objects = chart({"kafka": EXISTING, "collector": COLLECTOR})
    labels = {each["metadata"]["labels"]["strimzi.io/cluster"] for each in of_kind(objects, "KafkaTopic")}
    assert labels == {"shared"}
    assert of_kind(chart({"kafka": {"bootstrap": "kafka:9092"}}), "KafkaTopic") == []


def test_former_topics_are_kept_as_they_were_when_a_value_says_so(chart: Chart) -> None:
    assert not set(FORMER) & set(_topics(chart(None, "production")))
    objects = chart({"kafka": {"topics": {"former": {"keep": True}}}}, "production")
    events, letters = (_topics(objects)[name] for name in FORMER)
    assert (events["partitions"], events["config"]["retention.ms"]) == (12, 168 * 3_600_000)
    assert (letters["partitions"], letters["config"]["retention.ms"]) == (3, 720 * 3_600_000)
    assert one(objects, "KafkaTopic", "endcap-events")["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_nothing_of_the_release_names_a_former_topic(objects: list[Document]) -> None:
    """But for the group of alert rules that is called so."""
    parts = [each for each in objects if each["kind"] != "PrometheusRule"]
    assert [called(each) for each in parts if re.search(r'"endcap-events(-dead-letter)?"', json.dumps(each))] == []


@pytest.mark.parametrize(
    ("kafka", "said"),
    [
        ({"enabled": True, "replicas": 2, "topics": {"replicas": 3}}, "kafka.topics.replicas: 3 copies need as many brokers"),
        ({**EXISTING, "topics": {"clusterName": "shared", "minInSyncReplicas": 4}}, "kafka.topics.minInSyncReplicas: 4 is more than the 3"),
    ],
)
def test_copies_that_could_not_be_written_are_refused(chart: Chart, kafka: Document, said: str) -> None:
    with pytest.raises(Refused, match=re.escape(said)):
        chart({"kafka": kafka})


def test_a_topic_of_ones_own_for_impressions_is_used_by_all(chart: Chart) -> None:
    objects = chart({"kafka": {"topic": "shop-wide"}}, "production")
    for container in ("InferenceService/endcap:transformer-container", "CronJob/endcap-evidence:evidence"):
        assert _written(objects, container)["ENDCAP_EVENTS__KAFKA_TOPIC"] == "shop-wide"
