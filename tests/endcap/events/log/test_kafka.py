"""The event log on a real Kafka broker."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import KafkaError, KafkaException
from structlog.testing import capture_logs

from endcap.contracts.event import Event, EventType
from endcap.core.errors import InvalidInput
from endcap.core.settings import EventSettings
from endcap.events.log.kafka import VERSION_HEADER, KafkaEventLog
from endcap.events.log.kafka_config import kafka_config
from tests.endcap.events.log.shown_lists import NOW, shown_list
from tests.endcap.events.log.whole_events import WholeEvents
from tests.kafka_broker.broker import USERS, KafkaBroker
from tests.waiting import until

SOON = {"topic.metadata.propagation.max.ms": "200", "reconnect.backoff.max.ms": "200"}
"""Kafka's client waits long for topics and brokers; tests do not."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kafka.properties"


@contextmanager
def opened(file: Path, bootstrap: str, topic: str, more: Mapping[str, str] | None = None, **given: Any) -> Iterator[KafkaEventLog]:
    file.write_text("".join(f"{name}={value}\n" for name, value in {**SOON, **(more or {})}.items()))
    settings = EventSettings(kafka_bootstrap=bootstrap, kafka_topic=topic, kafka_config_file=file)
    log = KafkaEventLog(kafka_config(settings), **given)
    try:
        yield log
    finally:
        log.close(1.0)


def away() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


def emitted_and_came(log: KafkaEventLog, broker: KafkaBroker, topic: str) -> bool:
    """Whether events come, now or from an earlier call: what changed in Kafka takes a moment to reach the client."""
    log.emit(shown_list("kept"))
    return {Event.model_validate_json(message.value()).request_id for message in broker.messages(topic, 0)} == {"kept"}


def test_events_arrive_whole_by_the_contract_with_their_version_and_person(broker: KafkaBroker, file: Path) -> None:
    topic = broker.topic()
    view = Event(event_id=uuid4(), event_type=EventType.PRODUCT_VIEW, occurred_at=NOW, received_at=NOW, session_id="s\u2028é", item_id="i1")
    with opened(file, broker.bootstrap, topic) as log:
        log.emit(shown_list("r1", user_id="u1", session_id="s1"))
        log.emit(shown_list("r2", session_id="s2"))
        log.emit(shown_list("r3"))
        log.emit(WholeEvents([view]))
        log.emit(shown_list("r4", user_id="broken\ud800" + "x" * 200))
        came = broker.messages(topic, 17)
    events = [Event.model_validate_json(message.value()) for message in came]
    assert [event.request_id for event in events] == ["r1"] * 4 + ["r2"] * 4 + ["r3"] * 4 + [None] + ["r4"] * 4
    assert [event.position for event in events[:4]] == [1, 2, 3, 4]
    assert events[12] == view
    assert {tuple(message.headers()) for message in came} == {((VERSION_HEADER, b"1"),)}
    assert [message.key().decode() for message in came] == [event.user_id or event.session_id for event in events]
    assert log.dropped == 0


def test_a_persons_events_stay_in_order_in_one_partition(broker: KafkaBroker, file: Path) -> None:
    topic = broker.topic(partitions=4)

    def emit(person: int) -> None:
        for number in range(25):
            log.emit(shown_list(f"{number}", user_id=f"u{person}"))

    with opened(file, broker.bootstrap, topic) as log:
        threads = [threading.Thread(target=emit, args=(person,)) for person in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        came = broker.messages(topic, 12 * 25 * 4)
        until(lambda: log.waiting() == 0, "an empty queue")
    assert len(came) == 12 * 25 * 4
    assert len({message.partition() for message in came}) > 1
    for person in range(12):
        own = [message for message in came if message.key() == f"u{person}".encode()]
        events = [Event.model_validate_json(message.value()) for message in own]
        assert len({message.partition() for message in own}) == 1
        assert [(event.request_id, event.position) for event in events] == [(f"{n}", place) for n in range(25) for place in (1, 2, 3, 4)]


def test_events_wait_while_the_broker_is_away_and_all_arrive_once_when_it_is_back(broker: KafkaBroker, file: Path) -> None:
    topic = broker.topic()
    with opened(file, broker.bootstrap, topic, {"linger.ms": "0"}) as log:
        log.emit(shown_list("before", user_id="u"))
        until(lambda: log.waiting() == 0, "an empty queue")
        for number in range(500):
            log.emit(shown_list(f"on the way {number}", user_id="u"))
        broker.stop()
        try:
            for number in range(500):
                log.emit(shown_list(f"away {number}", user_id="u"))
            until(lambda: not log._queue, "an empty queue")
            assert log.waiting() >= 500
        finally:
            broker.start()
        log.emit(shown_list("after", user_id="u"))
        came = broker.messages(topic, 1_002 * 4)
    events = [Event.model_validate_json(message.value()) for message in came]
    middle = [f"{where} {number}" for where in ("on the way", "away") for number in range(500)]
    assert [event.request_id for event in events] == [request for request in ("before", *middle, "after") for _ in range(4)]
    assert len({event.event_id for event in events}) == len(events)
    assert log.dropped == 0


def test_closing_delivers_what_waits(broker: KafkaBroker, file: Path) -> None:
    topic = broker.topic()
    with opened(file, broker.bootstrap, topic, {"linger.ms": "60000"}) as log:
        for number in range(40):
            log.emit(shown_list(f"{number}"))
        log.close(30)
    assert len(broker.messages(topic, 160)) == 160
    assert (log.dropped, log.waiting(), log._thread.is_alive()) == (0, 0, False)
    log.emit(shown_list("late"))
    assert log.dropped == 4


def test_what_kafka_did_not_take_by_the_end_is_counted(file: Path) -> None:
    counts: list[int] = []
    few = {"queue.buffering.max.messages": "2000"}
    with capture_logs() as lines, opened(file, away(), "events", few, count_dropped=counts.append) as log:
        for number in range(5_000):
            log.emit(shown_list(f"{number}"))
        log.close(2)
    assert log.dropped == sum(counts) == 20_000
    assert log.waiting() == 0
    (line,) = [line for line in lines if line["event"] == "events dropped"]
    assert "Kafka did not confirm them in time; last heard of Kafka: " in line["reason"]


def test_full_queues_drop_and_count_instead_of_waiting(file: Path) -> None:
    counts: list[int] = []
    few = {"queue.buffering.max.messages": "6"}
    with opened(file, away(), "events", few, queue_batches=2, count_dropped=counts.append) as log:
        for number in range(2):  # one in the client, and one that waits for room there
            log.emit(shown_list(f"{number}"))
            until(lambda: not log._queue, "an empty queue")
        for number in range(5):
            log.emit(shown_list(f"{number}"))
        assert log.dropped == sum(counts) == 12
        log.close(0.5)
    assert log.dropped == sum(counts) == 28


def test_a_missing_topic_costs_its_events_and_says_so(broker: KafkaBroker, file: Path) -> None:
    with capture_logs() as lines, opened(file, broker.bootstrap, "nowhere") as log:
        log.emit(shown_list("r1"))
        until(lambda: log.dropped == 4, "four dropped events")
    (line,) = [line for line in lines if line["event"] == "events dropped"]
    assert line["reason"] == "Kafka refused for topic nowhere: Broker: Unknown topic or partition"


def test_a_topic_that_is_made_later_gets_later_events(broker: KafkaBroker, file: Path) -> None:
    topic = f"late-{uuid4().hex}"
    with opened(file, broker.bootstrap, topic) as log:
        log.emit(shown_list("lost"))
        until(lambda: log.dropped == 4, "four dropped events")
        broker.make_topic(topic)
        until(lambda: emitted_and_came(log, broker, topic), "the event")


def test_an_event_over_the_clients_limit_is_lost_alone(broker: KafkaBroker, file: Path) -> None:
    topic = broker.topic()
    long = Event(
        event_id=uuid4(), event_type=EventType.SEARCH, occurred_at=NOW, received_at=NOW, session_id="s", query="q" * 512, user_id="u" * 128
    ).model_copy(update={"request_id": "r" * 600})
    with capture_logs() as lines, opened(file, broker.bootstrap, topic, {"message.max.bytes": "1000"}) as log:
        log.emit(WholeEvents([long]))
        log.emit(shown_list("short", 1))
        came = broker.messages(topic, 1)
    assert [Event.model_validate_json(message.value()).request_id for message in came] == ["short"]
    assert log.dropped == 1
    assert [line["reason"] for line in lines if line["event"] == "events dropped"] == [
        "Kafka's client refused: Unable to produce message: Broker: Message size too large"
    ]


def test_events_over_the_topics_limit_are_lost_and_counted(broker: KafkaBroker, file: Path) -> None:
    topic = broker.topic(max_message_bytes="200")
    with capture_logs() as lines, opened(file, broker.bootstrap, topic) as log:
        log.emit(shown_list("r1"))
        until(lambda: log.dropped == 4, "four dropped events")
    assert "Message size too large" in next(line["reason"] for line in lines if line["event"] == "events dropped")


def test_a_batch_that_cannot_be_written_does_not_stop_the_others(broker: KafkaBroker, file: Path) -> None:
    topic = broker.topic()
    with opened(file, broker.bootstrap, topic) as log:
        log.emit(replace(shown_list("broken"), sources=[]))
        log.emit(shown_list("r1"))
        came = broker.messages(topic, 4)
    assert {Event.model_validate_json(message.value()).request_id for message in came} == {"r1"}
    assert log.dropped == 4


def login(user: str, password: str) -> dict[str, str]:
    return {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": user, "sasl.password": password}


def test_a_name_and_a_password_from_the_file_open_a_guarded_broker(broker: KafkaBroker, file: Path) -> None:
    topic = broker.topic()
    broker.allow_writing("shop", topic)
    with opened(file, broker.guarded, topic, login("shop", USERS["shop"])) as log:
        log.emit(shown_list("r1"))
        assert len(broker.messages(topic, 4)) == 4
    assert log.dropped == 0


def test_a_wrong_password_is_told_of_without_showing_it(broker: KafkaBroker, file: Path) -> None:
    topic = broker.topic()
    with capture_logs() as lines, opened(file, broker.guarded, topic, login("shop", "wrong-pass-word")) as log:
        log.emit(shown_list("r1"))
        until(lambda: "uthentication" in str(lines), "the refusal")
        assert log.waiting() >= 1
        log.close(0.5)
    assert log.dropped == 4
    assert "uthentication" in next(line["reason"] for line in lines if line["event"] == "events dropped")
    assert "wrong-pass-word" not in str(lines)


def test_rights_that_come_later_let_the_log_go_on(broker: KafkaBroker, file: Path) -> None:
    topic = broker.topic()
    with capture_logs() as lines, opened(file, broker.guarded, topic, login("guest", USERS["guest"]), renew_seconds=0.1) as log:
        log.emit(shown_list("lost"))
        until(lambda: log.dropped == 4, "four dropped events")
        broker.allow_writing("guest", topic)
        until(lambda: emitted_and_came(log, broker, topic), "the event")
    assert "authoriz" in next(line["reason"] for line in lines if line["event"] == "events dropped")


def test_a_file_that_is_gone_when_a_new_client_is_made_is_named_with_the_next_losses(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> None:
        raise InvalidInput("the file cannot be read as text", field="ENDCAP_EVENTS__KAFKA_CONFIG_FILE")

    with opened(file, "127.0.0.1:1", "events") as log:
        monkeypatch.setattr(log, "_opened", refused)
        log._renew()
        assert log._why_full().endswith("last heard of Kafka: the file cannot be read as text")


def test_what_kafkas_client_cannot_go_on_with_is_named_with_the_next_losses(file: Path) -> None:
    def failing(_seconds: float) -> int:
        raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED, "no right to write"))

    with opened(file, "127.0.0.1:1", "events") as log:
        log._served(failing, 0.0)
        assert log._trouble == "no right to write"
