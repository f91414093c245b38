"""A topic of a real Kafka broker copied into files."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from structlog.testing import capture_logs

from endcap.contracts.event import Event
from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.settings import EventSettings
from endcap.events.log.kafka import KafkaEventLog
from endcap.events.log.kafka_config import KafkaConfig, kafka_config
from endcap.events.log.kafka_copy import Copied, _marks, copy_events
from endcap.events.log.reader import event_schema, read_events
from endcap.events.log.whole_log import OFFSETS_FILE
from endcap.events.probes.line import probe_line
from endcap.events.schemas.frame import framed
from tests.endcap.events.log.shown_lists import shown_list
from tests.kafka_broker.broker import USERS, KafkaBroker
from tests.waiting import until

SECONDS = 60


def config_of(broker: KafkaBroker, topic: str) -> KafkaConfig:
    return KafkaConfig(broker.bootstrap, topic)


def emit(config: KafkaConfig, *request_ids: str) -> None:
    log = KafkaEventLog(config)
    for request_id in request_ids:
        log.emit(shown_list(request_id))
    log.close(30)
    assert log.dropped == 0


def send(broker: KafkaBroker, topic: str, *values: bytes | None) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap})
    for value in values:
        producer.produce(topic, value)
    assert producer.flush(30) == 0


def requests(folder: Path) -> list[str]:
    return read_events(folder).collect()["request_id"].unique().sort().to_list()


def test_each_copy_goes_on_where_the_last_one_ended(broker: KafkaBroker, tmp_path: Path) -> None:
    config = config_of(broker, broker.topic(partitions=3))
    assert copy_events(config, tmp_path, SECONDS) == Copied(0, 0, 0, 0)
    emit(config, "a", "b", "c", "d")
    assert copy_events(config, tmp_path, SECONDS) == Copied(16, 0, 0, 0)
    emit(config, "e")
    assert copy_events(config, tmp_path, SECONDS) == Copied(4, 0, 0, 0)
    assert copy_events(config, tmp_path, SECONDS) == Copied(0, 0, 0, 0)
    read = read_events(tmp_path).collect()
    assert (read.schema, len(read), read["event_id"].n_unique()) == (event_schema(), 20, 20)
    assert requests(tmp_path) == ["a", "b", "c", "d", "e"]


def test_what_is_no_event_is_left_out_and_told_without_its_content(broker: KafkaBroker, tmp_path: Path) -> None:
    config = config_of(broker, broker.topic())
    good = shown_list("good", 1).json_lines().strip()
    other_time = good.replace("2026-03-01T08:00:00Z", "2026-03-01T08:00:00.5+00:00")
    send(broker, config.topic, b"\xff", None, b'{"secret": "mine"}', other_time.encode(), good.replace('"1"', '"1","more":1').encode())
    with capture_logs() as lines:
        assert copy_events(config, tmp_path, SECONDS) == Copied(1, 4, 0, 0)
    assert read_events(tmp_path).collect()["occurred_at"].dt.microsecond().to_list() == [500_000]
    assert [line["event"] for line in lines] == ["a message is no event"]
    assert "mine" not in str(lines)


def test_probes_are_left_out_and_counted_nowhere(broker: KafkaBroker, tmp_path: Path) -> None:
    config = config_of(broker, broker.topic())
    probe = probe_line("a", datetime(2026, 3, 1, 8, tzinfo=UTC), Random(1)).strip().encode()
    send(broker, config.topic, probe, shown_list("good", 1).json_lines().strip().encode(), framed(7, probe))
    with capture_logs() as lines:
        assert copy_events(config, tmp_path, SECONDS) == Copied(1, 0, 0, 0)
    assert requests(tmp_path) == ["good"]
    assert lines == []


def test_what_there_was_no_time_for_is_left_to_the_next_copy(broker: KafkaBroker, tmp_path: Path) -> None:
    config = config_of(broker, broker.topic())
    emit(config, *map(str, range(1_500)))
    calls = count()

    def out_after_one_piece() -> float:
        return 0.0 if next(calls) < 4 else 1_000.0

    first = copy_events(config, tmp_path, SECONDS, timer=out_after_one_piece)
    assert (first.events + first.left, first.left >= 1_000) == (6_000, True)
    assert copy_events(config, tmp_path, SECONDS) == Copied(first.left, 0, 0, 0)
    assert len(requests(tmp_path)) == 1_500


def test_messages_that_kafka_deleted_first_are_counted(broker: KafkaBroker, tmp_path: Path) -> None:
    config = config_of(broker, broker.topic())
    emit(config, "a")
    copy_events(config, tmp_path, SECONDS)
    emit(config, "b", "c")
    for done in broker.admin.delete_records([TopicPartition(config.topic, 0, 9)]).values():
        done.result(30)
    assert copy_events(config, tmp_path, SECONDS) == Copied(3, 0, 5, 0)


@pytest.mark.parametrize(
    "before", [{"of": ["another cluster", "events"], "next": {"0": 3}}, {"of": None, "next": {"0": 1_000}}], ids=["another", "made again"]
)
def test_another_cluster_or_a_topic_made_again_is_copied_from_its_start(
    broker: KafkaBroker, tmp_path: Path, before: dict[str, object]
) -> None:
    config = config_of(broker, broker.topic())
    copy_events(config, tmp_path, SECONDS)
    (written,) = json.loads((tmp_path / OFFSETS_FILE).read_text())
    (tmp_path / OFFSETS_FILE).write_text(json.dumps({**before, "of": before["of"] or written["of"]}))
    emit(config, "a")
    assert copy_events(config, tmp_path, SECONDS) == Copied(4, 0, 0, 0)


def test_two_topics_are_copied_into_one_folder_each_from_where_it_was(broker: KafkaBroker, tmp_path: Path) -> None:
    shown, followed = (config_of(broker, broker.topic()) for _ in range(2))
    for request_id in ("a", "b"):
        emit(shown, request_id)
        emit(followed, f"{request_id} too")
        assert [copy_events(config, tmp_path, SECONDS) for config in (shown, followed)] == [Copied(4, 0, 0, 0)] * 2
    assert requests(tmp_path) == ["a", "a too", "b", "b too"]


def test_a_copied_line_is_the_contracts(broker: KafkaBroker, tmp_path: Path) -> None:
    config = config_of(broker, broker.topic())
    emit(config, "a")
    copy_events(config, tmp_path, SECONDS)
    (file,) = tmp_path.glob("*.jsonl")
    assert [Event.model_validate_json(line).request_id for line in file.read_text().splitlines()] == ["a"] * 4


def test_the_right_to_read_the_topic_is_enough(broker: KafkaBroker, tmp_path: Path) -> None:
    topic = broker.topic(partitions=2)
    emit(config_of(broker, topic), "a", "b")
    broker.allow_reading("guest", topic)
    config = guarded(broker, topic, tmp_path / "kafka.properties")
    until(lambda: is_let_in(config, tmp_path / "events"), "the right to read")
    assert requests(tmp_path / "events") == ["a", "b"]


def is_let_in(config: KafkaConfig, folder: Path) -> bool:
    """Whether a copy is made; a right that was given takes a moment."""
    try:
        return copy_events(config, folder, SECONDS).left == 0
    except DependencyUnavailable:
        return False


def missing_topic(broker: KafkaBroker, folder: Path) -> KafkaConfig:
    return config_of(broker, "nowhere")


def damaged_offsets(content: str) -> Callable[[KafkaBroker, Path], KafkaConfig]:
    def made(broker: KafkaBroker, folder: Path) -> KafkaConfig:
        folder.mkdir()
        (folder / OFFSETS_FILE).write_text(content)
        return config_of(broker, broker.topic())

    return made


def offsets_not_given(broker: KafkaBroker, folder: Path) -> KafkaConfig:
    (folder / OFFSETS_FILE).mkdir(parents=True)
    return config_of(broker, broker.topic())


def folder_is_a_file(broker: KafkaBroker, folder: Path) -> KafkaConfig:
    folder.write_text("")
    return config_of(broker, broker.topic())


def no_right_to_read(broker: KafkaBroker, folder: Path) -> KafkaConfig:
    return guarded(broker, broker.topic(), folder.with_name("kafka.properties"))


def guarded(broker: KafkaBroker, topic: str, file: Path) -> KafkaConfig:
    file.write_text(
        f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=guest\nsasl.password={USERS['guest']}\n", encoding="utf-8"
    )
    return kafka_config(EventSettings(kafka_bootstrap=broker.guarded, kafka_topic=topic, kafka_config_file=file))


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (missing_topic, InvalidInput, "ENDCAP_EVENTS__KAFKA_TOPIC: there is no such topic; got 'nowhere'"),
        *((damaged_offsets(content), InvalidInput, "the file is damaged") for content in ("{", "[]", '{"of": [], "next": {"0": null}}')),
        (offsets_not_given, DependencyUnavailable, "the disk refused: Is a directory"),
        (folder_is_a_file, DependencyUnavailable, "the disk refused"),
        (no_right_to_read, DependencyUnavailable, "Kafka does not answer: .*authorization failed"),
        (lambda *_: KafkaConfig("127.0.0.1:1", "events"), DependencyUnavailable, "ENDCAP_EVENTS__KAFKA_BOOTSTRAP: Kafka does not answer"),
    ],
)
def test_a_copy_that_cannot_be_made_says_why(
    broker: KafkaBroker, tmp_path: Path, make: Callable[[KafkaBroker, Path], KafkaConfig], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        copy_events(make(broker, tmp_path / "events"), tmp_path / "events", 2)


def test_offsets_are_asked_for_again_while_a_partition_has_no_leader_and_time_is_left() -> None:
    class Moving:
        def __init__(self) -> None:
            self.failures = 2

        def get_watermark_offsets(self, *_: object, **__: object) -> tuple[int, int]:
            self.failures -= 1
            if self.failures >= 0:
                raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
            return 3, 9

        def poll(self, _seconds: float) -> None:
            return

    partition = TopicPartition("events", 0)
    assert _marks(Moving(), partition, lambda: 1.0) == (3, 9)  # type: ignore[arg-type]
    with pytest.raises(KafkaException):
        _marks(Moving(), partition, lambda: 0.0)  # type: ignore[arg-type]
