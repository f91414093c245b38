"""The stream over Kafka: what it makes of events is what it makes of the same events in the local log."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from endcap.catalogue.changes.sink import ItemChangesSink
from endcap.catalogue.item_updates import UPDATES_FILE, read_updates
from endcap.core.clock import system_clock
from endcap.core.settings import CounterSettings, EventSettings, Settings
from endcap.events.dead_letters.letters import letter_table, opened_payload, read_letters
from endcap.events.dead_letters.sealing import dead_letter_seal
from endcap.events.log.kafka_config import kafka_config
from endcap.events.schemas.frame import framed
from endcap.events.stream.bots import BotRules
from endcap.events.stream.delivery import Delivery
from endcap.events.stream.driver import Driver, DriverRules
from endcap.events.stream.following import Follower, LogFollower
from endcap.events.stream.kafka.following import TopicFollower
from endcap.events.stream.sessions import Sessions
from endcap.events.stream.subscription import Subscription
from endcap_stream.catalogue_job import CatalogueJob
from endcap_stream.metrics import StreamMetrics
from tests.endcap.events.stream.kafka.followed_topic import send
from tests.endcap.events.stream.streamed_events import BEGIN, SEAL, Collected, event
from tests.kafka_broker.broker import KafkaBroker
from tests.properties import examples
from tests.services.stream.test_catalogue_job import line as change
from tests.services.stream.test_job import line, running, value
from tests.waiting import until

STAGE = timedelta(minutes=10)


def text(name: str, session: str, occurred: float, arrived: float) -> bytes:
    """An event of the log, whose item is its name."""
    made = event(name, occurred, "click", session, arrives=arrived, item_id=name)
    moments = {key: moment.isoformat().replace("+00:00", "Z") for key, moment in made.items() if isinstance(moment, datetime)}
    return pl.DataFrame([{**made, **moments}]).write_ndjson().strip().encode()


@dataclass(frozen=True)
class Outcome:
    """What was delivered, and what was counted."""

    rows: dict[tuple[Any, ...], dict[str, Any]]
    counts: Counter[str]


class Driven:
    """The stream's driver with its state in a folder, over any log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sink, self.counts = Collected(("session_id",)), Counter[str]()

    def take(self, follower: Follower, now: datetime, messages: int) -> None:
        """Take what is new, a restart before it."""
        driver = Driver(self._folder, [Subscription(Sessions(), self.sink)], SEAL, lambda: now, DriverRules(timedelta(hours=2), BotRules()))
        delivery = Delivery(driver.outboxes, {"sessions": self.sink})
        places, done = dict(driver.places()), 0

        def is_done() -> bool:
            nonlocal done
            arrived = follower.look(places)
            if not arrived.is_nothing:
                taken = driver.step(arrived)
                arrived.note_in(places)
                self.counts.update(events=taken.events, broken=taken.broken, **{reason.value: n for reason, n in taken.left_out.items()})
                done += len(arrived.events) + len(arrived.broken)
            return done >= messages

        until(is_done, f"{messages} messages")
        # By the clock the watermark goes once nothing waits: who reads Kafka may only know that a look later than who reads files.
        driver.step()
        assert delivery.settle(30)
        delivery.close()
        driver.close()
        follower.close()

    def outcome(self) -> Outcome:
        return Outcome(self.sink.rows, self.counts)


# Sessions, seconds within the stage, whether late, how often it is sent.
sent_events = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 500), st.booleans(), st.integers(1, 2)), min_size=1, max_size=25)


@examples(20)
@example([[(0, 335, True, 1), (0, 212, True, 2)], [(0, 320, False, 1), (0, 248, False, 2), (0, 320, False, 1), (0, 227, True, 1)]], 0)
@given(st.lists(sent_events, min_size=1, max_size=3), st.integers(0, 2**32))
def test_rows_and_counts_are_those_of_the_local_log(
    broker: KafkaBroker, tmp_path_factory: pytest.TempPathFactory, stages: Sequence[Sequence[tuple[int, int, bool, int]]], seed: int
) -> None:
    random, home, topics = Random(seed), tmp_path_factory.mktemp("both"), [broker.topic(3), broker.topic(1)]
    config = kafka_config(EventSettings(kafka_bootstrap=broker.bootstrap))
    local, kafka = Driven(home / "local"), Driven(home / "kafka")
    (home / "events").mkdir()
    batch_bytes = random.choice([1_024, 1 << 20])
    for number, stage in enumerate(stages):
        begin, lines = number * STAGE.total_seconds(), [b"broken"]
        for place, (session, second, is_late, times) in enumerate(stage):
            # Each arrives at a moment of its own, so that both ways have one order.
            arrived = begin + second + place / 100
            lines += times * [text(f"{number} {place}", f"s{session}", arrived - (5 * 3_600 if is_late else 1), arrived)]
        random.shuffle(lines)
        now = BEGIN + (number + 1) * STAGE
        (home / "events" / f"{BEGIN + number * STAGE:%Y%m%dT%H%M%S}-1.jsonl").write_bytes(b"\n".join(lines) + b"\n")
        for topic, partitions, part in ((topics[0], 3, lines[::2]), (topics[1], 1, lines[1::2])):
            send(broker, topic, [(random.randrange(partitions), random.choice([each, framed(77, each)])) for each in part])
        local.take(LogFollower(home / "events", 1 << 20, lambda now=now: now), now, len(lines))  # type: ignore[misc]
        kafka.take(TopicFollower(config, topics, "g", batch_bytes, clock=lambda now=now: now), now, len(lines))  # type: ignore[misc]
    assert kafka.outcome() == local.outcome()
    assert local.counts["broken"] == len(stages)


def kafka_settings(broker: KafkaBroker, home: Path) -> Settings:
    """A home whose topics are its own."""
    prefix = broker.topic()
    for stem in ("events.v1", "impressions.v1", "catalogue.v1"):
        broker.make_topic(f"{prefix}.{stem}", 2)
    events = EventSettings(kafka_bootstrap=broker.bootstrap, topic_prefix=prefix)
    return Settings(home=home, events=events, counters=CounterSettings(deliver_seconds=0))


def test_the_job_takes_framed_and_plain_values_once_over_restarts_and_buries_bytes_whole(broker: KafkaBroker, tmp_path: Path) -> None:
    settings = kafka_settings(broker, tmp_path)
    topic = f"{settings.events.topic_prefix}.events.v1"
    sink, registry = Collected(("session_id",)), CollectorRegistry()
    first = line("1", item_id="a").strip()
    with running(settings, sink, registry):
        send(broker, topic, [(0, first), (1, framed(5, first)), (1, b"\x01\xff\xfe"), (0, None)])
        until(lambda: ("s",) in sink.rows, "the row is delivered")
        until(lambda: len(letter_table(settings.dead_letter_dir)) == 1, "the dead letter")
        until(value(registry, "endcap_stream_kafka_null_total", topic=topic), "the message without a value")
    assert sink.rows["s",]["session_item_ids"] == ["a"]
    assert value(registry, "endcap_stream_events_taken_total")() == 1
    assert value(registry, "endcap_stream_events_left_out_total", reason="duplicate")() == 1
    (letter,) = read_letters(settings.dead_letter_dir)
    assert opened_payload(letter, dead_letter_seal(settings, may_make=True)).text == "Af/+"
    assert letter.reason.endswith("its bytes are kept in base64")
    send(broker, topic, [(1, framed(6, line("2", item_id="b").strip())), (0, first)])
    send(broker, f"{settings.events.topic_prefix}.impressions.v1", [(0, line("3", "impression", item_id="c", position=1).strip())])
    again, registry = Collected(("session_id",)), CollectorRegistry()
    with running(settings, again, registry):
        until(lambda: value(registry, "endcap_stream_events_taken_total")() == 2, "both are taken")
        until(lambda: ("s",) in again.rows, "the row is delivered")
    assert again.rows["s",]["session_item_ids"] == ["a", "b"]
    assert value(registry, "endcap_stream_kafka_lost_total", topic=topic)() == 0
    assert len(letter_table(settings.dead_letter_dir)) == 1


def test_while_kafka_is_away_the_job_is_ready_and_its_lag_grows(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, events=EventSettings(kafka_bootstrap="127.0.0.1:1"))
    registry = CollectorRegistry()
    with running(settings, Collected(("session_id",)), registry) as job:
        until(lambda: job.is_ready, "a look")
        until(value(registry, "endcap_stream_cut_off", log="events"), "the outage is shown")
        before = value(registry, "endcap_stream_lag_seconds")()
        until(lambda: value(registry, "endcap_stream_lag_seconds")() > before + 0.2, "the lag grows")
        assert job.is_ready
    assert value(registry, "endcap_stream_failures_total")() == 0


def test_changes_of_items_come_through_kafka_and_are_not_taken_again(broker: KafkaBroker, tmp_path: Path) -> None:
    settings = kafka_settings(broker, tmp_path)
    topic, known = f"{settings.events.topic_prefix}.catalogue.v1", pl.Series(["tea"], dtype=pl.String())

    def prices() -> dict[str, float]:
        path = settings.live_dir / UPDATES_FILE
        return dict(read_updates(path).select("item_id", "price").drop_nulls().rows()) if path.exists() else {}

    for number, price in enumerate((2.0, 3.0), 1):
        registry = CollectorRegistry()
        metrics = StreamMetrics(registry, system_clock, (), ())
        job = CatalogueJob(settings, ItemChangesSink(settings.live_dir, lambda: known, metrics.waiting_items.set), metrics)
        stop = threading.Event()
        thread = threading.Thread(target=job.run, args=(stop,))
        thread.start()
        text_of_change = change(number, f'{{"item_id": "tea", "price": {price}}}').strip()
        send(broker, topic, [(number % 2, framed(3, text_of_change)), (0, b"broken")])
        until(lambda: prices() == {"tea": price}, "the price in the servers' file")  # noqa: B023 - looked at now
        until(value(registry, "endcap_stream_item_changes_rejected_total"), "what is no change")
        stop.set()
        thread.join(60)
        assert value(registry, "endcap_stream_item_changes_taken_total")() == 1
        assert UUID(int=number).hex in text_of_change.decode().replace("-", "")
