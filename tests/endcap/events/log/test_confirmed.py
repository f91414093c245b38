"""What is written has arrived; what has not is said, so that it is written again."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import EventSettings, Settings
from endcap.events.log import confirmed_kafka
from endcap.events.log.confirmed import open_confirmed_log
from endcap.events.log.topic_names import impressions_topic
from tests.endcap.events.log.shown_lists import shown_list
from tests.kafka_broker.broker import KafkaBroker

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)


def test_a_local_log_has_what_was_written(tmp_path: Path) -> None:
    log = open_confirmed_log(Settings(home=tmp_path), lambda: NOW)
    log.write([shown_list("a", 3), shown_list("b", 2)])
    (file,) = (tmp_path / "events").iterdir()
    assert [json.loads(line)["position"] for line in file.read_text().splitlines()] == [1, 2, 3, 1, 2]


def test_a_disk_that_refuses_is_said(tmp_path: Path) -> None:
    log = open_confirmed_log(Settings(home=tmp_path), lambda: NOW)
    (tmp_path / "events").write_text("no folder")
    with pytest.raises(DependencyUnavailable, match="the disk refused"):
        log.write([shown_list("a", 1)])


@pytest.fixture
def settings(broker: KafkaBroker, tmp_path: Path) -> Iterator[Settings]:
    prefix = broker.topic()
    events = EventSettings(kafka_bootstrap=broker.bootstrap, topic_prefix=prefix)
    broker.make_topic(impressions_topic(events), 2)
    yield Settings(home=tmp_path, events=events)


@pytest.mark.processes
def test_kafka_has_what_was_written_and_an_outage_is_said(settings: Settings, broker: KafkaBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirmed_kafka, "CONFIRMED_SECONDS", 2.0)
    log, topic = open_confirmed_log(settings, lambda: NOW), impressions_topic(settings.events)
    log.write([shown_list("a", 3)])
    assert len(broker.all_messages(topic)) == 3
    broker.stop()
    try:
        with pytest.raises(DependencyUnavailable, match="Kafka does not take events"):
            log.write([shown_list("b", 2)])
    finally:
        broker.start()
    monkeypatch.setattr(confirmed_kafka, "CONFIRMED_SECONDS", 60.0)
    log.write([shown_list("b", 2)])
    assert len(broker.all_messages(topic)) == 5
