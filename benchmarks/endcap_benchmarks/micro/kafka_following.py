"""What the stream's reading costs: `python -m endcap_benchmarks.micro.kafka_following HOST:PORT` prints one table.

The same events in a file of the local log and in topics of a running Kafka, followed to their end with nothing stepped. The topics are made
for it and removed.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from endcap.core.clock import system_clock
from endcap.core.settings import EventSettings, StreamSettings
from endcap.events.log.kafka_config import kafka_config
from endcap.events.log.writer import FILE_SUFFIX, NAME_TIME
from endcap.events.stream.following import Follower, LogFollower
from endcap.events.stream.kafka.following import TopicFollower

EVENTS = 200_000
PARTITIONS = (1, 6, 24)
TURNS = 2
ANSWER_SECONDS = 60
BATCH_BYTES = StreamSettings().batch_bytes


def main() -> None:
    """Print the table."""
    bootstrap, lines = sys.argv[1], made_lines()
    config = kafka_config(EventSettings(kafka_bootstrap=bootstrap))
    print("| log | turn | events a second | CPU ms a 1,000 |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{system_clock():{NAME_TIME}}-1{FILE_SUFFIX}"
        file.write_bytes(b"".join(line + b"\n" for line in lines))
        print_turns("local log", lambda: LogFollower(file.parent, BATCH_BYTES, system_clock))
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for partitions in PARTITIONS:
        topic = f"benchmark-{uuid4().hex}"
        admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(ANSWER_SECONDS)
        try:
            fill(bootstrap, topic, partitions, lines)
            print_turns(f"Kafka, {partitions} partitions", lambda topic=topic: TopicFollower(config, [topic], "benchmark", BATCH_BYTES))  # type: ignore[misc]
        finally:
            admin.delete_topics([topic])[topic].result(ANSWER_SECONDS)


def made_lines() -> list[bytes]:
    """Clicks of a thousand visits, fifty a second."""
    end = datetime.now(UTC)
    lines = []
    for number in range(EVENTS):
        moment = (end - timedelta(seconds=(EVENTS - number) / 50)).isoformat().replace("+00:00", "Z")
        lines.append(
            f'{{"event_id":"{uuid4()}","event_type":"click","schema_version":1,"occurred_at":"{moment}","received_at":"{moment}",'
            f'"session_id":"visit {number % 1_000}","item_id":"item {number % 5_003}","consent":true,"consent_analytics":true}}'.encode()
        )
    return lines


def fill(bootstrap: str, topic: str, partitions: int, lines: list[bytes]) -> None:
    """Write the lines, spread over the partitions in record batches of the size that a collector's have."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "batch.size": 16_384, "queue.buffering.max.messages": EVENTS})
    for number, line in enumerate(lines):
        producer.produce(topic, line, partition=number % partitions)
    assert producer.flush(ANSWER_SECONDS) == 0  # noqa: S101 - all are there


def print_turns(name: str, opened: Callable[[], Follower]) -> None:
    """Rows of one log."""
    for turn in range(1, TURNS + 1):
        follower = opened()
        seconds, cpu_seconds = followed(follower)
        follower.close()
        print(f"| {name} | {turn} | {EVENTS / seconds:,.0f} | {cpu_seconds / EVENTS * 1e6:.1f} |", flush=True)


def followed(follower: Follower) -> tuple[float, float]:
    """Seconds, of the clock and of the process, from the first event to the last."""
    places, events = dict[str, int](), 0
    began = cpu_began = 0.0
    while events < EVENTS:
        before = time.perf_counter(), time.process_time()
        arrived = follower.look(places)
        arrived.note_in(places)
        if not events:
            began, cpu_began = before
        events += len(arrived.events)
    return time.perf_counter() - began, time.process_time() - cpu_began


if __name__ == "__main__":
    main()
