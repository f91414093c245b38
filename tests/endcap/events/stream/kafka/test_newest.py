"""The newest events of topics, as `endcap events tail` shows them."""

import json
from datetime import datetime
from pathlib import Path
from random import Random

import pytest
from typer.testing import CliRunner

from endcap.cli.events import app
from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import EventSettings
from endcap.events.log.kafka_config import kafka_config
from endcap.events.probes.line import probe_line
from endcap.events.schemas.frame import framed
from endcap.events.stream.kafka.newest import newest_messages
from tests.endcap.events.stream.kafka.followed_topic import ids, send, value
from tests.endcap.events.stream.streamed_events import BEGIN
from tests.kafka_broker.broker import KafkaBroker


def test_the_last_messages_of_each_partition_come_in_the_order_of_arrival(broker: KafkaBroker) -> None:
    topic = broker.topic(3)
    send(broker, topic, [(0, value(str(place), 0, place)) for place in range(50)])
    send(broker, topic, [(1, framed(9, value("other", 0, 47.5))), (1, b"broken"), (1, None)])
    config = kafka_config(EventSettings(kafka_bootstrap=broker.bootstrap))
    found = newest_messages(config, [topic, f"{topic}-nowhere"], 4, seconds=30).events
    assert found["event_id"].to_list() == [ids([name])[0] for name in ("46", "47", "other", "48", "49")]


def test_tail_shows_them(broker: KafkaBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prefix = broker.topic()
    broker.make_topic(f"{prefix}.events.v1")
    send(broker, f"{prefix}.events.v1", [(0, value(str(place), 0, place)) for place in range(5)])
    for name, content in (("HOME", str(tmp_path)), ("EVENTS__KAFKA_BOOTSTRAP", broker.bootstrap), ("EVENTS__TOPIC_PREFIX", prefix)):
        monkeypatch.setenv(f"ENDCAP_{name}", content)
    shown = json.loads(CliRunner().invoke(app, ["tail", "-n", "2", "--json"]).stdout)
    assert [row["event_id"] for row in shown] == [ids(["3"])[0], ids(["4"])[0]]
    assert "there are no events" in CliRunner().invoke(app, ["tail", "--type", "dwell"]).stdout
    send(broker, f"{prefix}.events.v1", [(0, probe_line("a", BEGIN, Random(1)).strip().encode())])
    assert "there are no events" in CliRunner().invoke(app, ["tail", "--type", "probe"]).stdout
    (probe,) = json.loads(CliRunner().invoke(app, ["tail", "--type", "probe", "--probes", "--json"]).stdout)
    assert datetime.fromisoformat(probe["received_at"]) == BEGIN


def test_a_kafka_that_is_away_is_named() -> None:
    with pytest.raises(DependencyUnavailable, match="ENDCAP_EVENTS__KAFKA_BOOTSTRAP: Kafka does not answer"):
        newest_messages(kafka_config(EventSettings(kafka_bootstrap="127.0.0.1:1")), ["t"], 1, seconds=0.5)
