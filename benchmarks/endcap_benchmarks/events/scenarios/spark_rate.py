"""How many events a second the stream on Spark takes when Kafka has more than it can take, and what becomes of that as its state grows."""

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
import psutil
from confluent_kafka import Producer

from endcap.core.clock import system_clock
from endcap.core.errors import DependencyUnavailable
from endcap_benchmarks.events.deployment import CpuReading, cpu_reading
from endcap_benchmarks.events.kafka_topics import EVENTS_TOPIC
from endcap_benchmarks.events.made_events import LOG_MIX, Shop, Span, json_lines, made_events, stored
from endcap_benchmarks.events.spark_process import START_SECONDS, SparkStream

TAKEN = "endcap_stream_events_taken_total"
SEED = 7
EVENTS_A_SESSION = 20
LENGTH = timedelta(minutes=40)
LOOK_EVERY_SECONDS = 0.1
FLUSH_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Mark:
    """Events that were taken by a moment, and the CPU that they cost."""

    taken: float
    reading: CpuReading


def fill_topic(bootstrap: str, events: int) -> None:
    """Send events of the last minutes to Kafka, as the collector would.

    Raises:
        DependencyUnavailable: Kafka did not take them.
    """
    random, now = np.random.default_rng(SEED), system_clock()
    sessions = random.integers(max(events // EVENTS_A_SESSION, 1), size=events)
    shop = Shop([f"I{number:06d}" for number in range(10_000)], f"rate-{now.timestamp():.0f}")
    lines = json_lines(stored(made_events(shop, sessions, Span(now - LENGTH, now), random, LOG_MIX)))
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": events + 1})
    for session, line in zip(sessions.tolist(), lines.to_list(), strict=True):
        producer.produce(EVENTS_TOPIC, line.encode(), str(session))
    if left := producer.flush(FLUSH_SECONDS):
        raise DependencyUnavailable(f"Kafka did not take {left} events", field=bootstrap)


def spark_rate(stream: SparkStream, master: str, events: int, seconds: float) -> dict[str, Any]:
    """From its first batch on, so that its start does not count.

    Args:
        stream: it has been started, and reads a topic that was filled.
        master: Spark's.
        events: in the topic.
        seconds: after its first batch, at most.

    Raises:
        DependencyUnavailable: it took none.
    """
    marks = _marks(stream, events, seconds)
    first, last = marks[0], marks[-1]
    middle = min(marks, key=lambda mark: abs(mark.taken - (first.taken + last.taken) / 2))
    taken = last.taken - first.taken
    used_s = _cpu_s(last) - _cpu_s(first)
    return {
        "scenario": "stream on Spark",
        "of": f"{master}, Kafka filled before",
        "events": int(taken),
        "seconds": round(last.reading.at_s - first.reading.at_s, 1),
        "batches": len(marks) - 1,
        "events_per_second": _rate(first, last),
        "events_per_second_first_half": _rate(first, middle),
        "events_per_second_second_half": _rate(middle, last),
        "cpu_s_a_thousand": {"stream": round(used_s / taken * 1000, 4)},
        "load_average": round(psutil.getloadavg()[0], 2),
    }


def _marks(stream: SparkStream, events: int, seconds: float) -> list[Mark]:
    """One where the count changed: a batch was done."""
    processes = {"stream": psutil.Process(stream.pid)}
    marks: list[Mark] = []
    until = longest = time.perf_counter() + START_SECONDS
    while time.perf_counter() < (until if len(marks) > 1 else longest) and (not marks or marks[-1].taken < events):
        taken = _taken(stream)
        if taken and (not marks or taken > marks[-1].taken):
            if not marks:
                until = time.perf_counter() + seconds
            marks.append(Mark(taken, cpu_reading(processes)))
        time.sleep(LOOK_EVERY_SECONDS)
    if len(marks) <= 1:
        raise DependencyUnavailable(
            "the stream on Spark did no second batch in time", field="--spark-events", fix="give more, or see what it says"
        )
    return marks


def _taken(stream: SparkStream) -> float:
    try:
        return stream.values().get(TAKEN, 0.0)
    except httpx.HTTPError:
        return 0.0


def _rate(first: Mark, last: Mark) -> float | None:
    length_s = last.reading.at_s - first.reading.at_s
    return round((last.taken - first.taken) / length_s, 1) if length_s else None


def _cpu_s(mark: Mark) -> float:
    return sum(mark.reading.cpu_s.values())
