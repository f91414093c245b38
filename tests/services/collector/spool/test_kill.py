"""The broker and the collector killed under load: what was answered is in the topic, and counts once."""

import json
import signal
import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from endcap.contracts.event_type import EventType
from endcap.events.stream.bots import BotRules, Bots
from endcap.events.stream.columns import BEGINNING
from endcap.events.stream.counting import Counting
from endcap.events.stream.lines import read_lines
from endcap_collector.spool.forwarder import Pace
from tests.endcap.events.sent_events import sent
from tests.kafka_broker.broker import KafkaBroker
from tests.seeds import SEEDS
from tests.services.collector.collector_process import CollectorProcess
from tests.services.collector.spool.opened_spool import topic_settings, values_of
from tests.waiting import until

SENDERS, BATCHES, EVENTS = 4, 160, 3
ALL = SENDERS * BATCHES * EVENTS
ROUNDS = 2


class Sender:
    """Sends visits, batch after batch; where an answer fails it goes on with that batch when it is started again."""

    def __init__(self, number: int) -> None:
        now = datetime.now(UTC)
        self.visit = f"visit {number}"
        self.batches = [
            [sent(EventType.CLICK, now, f"{number} {batch} {place}", session_id=self.visit) for place in range(EVENTS)]
            for batch in range(BATCHES)
        ]
        self.answered = 0

    def event_ids(self) -> list[str]:
        """Ids of all of its events, in order."""
        return [event["event_id"] for batch in self.batches for event in batch]

    def send(self, address: str, until_batch: int, noted: "Answered") -> None:
        with httpx.Client(trust_env=False) as client:
            while self.answered < until_batch:
                body = json.dumps(self.batches[self.answered])
                try:
                    answer = client.post(f"{address}/v1/events", content=body, headers={"content-type": "application/json"})
                except httpx.HTTPError:
                    return
                assert answer.status_code == 200, answer.text
                self.answered += 1
                noted.add()


class Answered:
    """Counts answers, and says when there are so many."""

    def __init__(self, at: int) -> None:
        self._count, self._at = 0, at
        self._changing = threading.Lock()
        self.enough = threading.Event()

    def add(self) -> None:
        with self._changing:
            self._count += 1
            if self._count >= self._at:
                self.enough.set()


def waiting(collector: CollectorProcess) -> float:
    """Events that Kafka does not have."""
    text = httpx.get(f"{collector.address}/metrics", trust_env=False).text
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith("endcap_collector_spool_waiting_events{"))


@pytest.mark.parametrize("seed", SEEDS)
def test_what_was_answered_is_in_the_topic_and_counts_once_whoever_is_killed(broker: KafkaBroker, tmp_path: Path, seed: int) -> None:
    home, random = tmp_path / "home", Random(seed)
    home.mkdir()
    topics = topic_settings(broker)
    settings = {"ENDCAP_EVENTS__KAFKA_BOOTSTRAP": broker.bootstrap} | {
        f"ENDCAP_COLLECTOR__{name.upper()}": topic for name, topic in topics.items()
    }
    # What is in the topic twice is found by counting messages.
    settings["ENDCAP_EVENTS__PROBE_SECONDS"] = "0"
    senders = [Sender(number) for number in range(SENDERS)]
    collector = CollectorProcess(home, settings)
    killed_collectors = doubled = 0
    kills = random.sample(["broker", random.choice(["collector", "both"])], ROUNDS)
    for number, kill in enumerate(kills, 1):
        share = BATCHES * number // ROUNDS
        noted = Answered(random.randrange(20, SENDERS * BATCHES // ROUNDS * 3 // 4))
        threads = [threading.Thread(target=sender.send, args=(collector.address, share, noted)) for sender in senders]
        for thread in threads:
            thread.start()
        assert noted.enough.wait(60)
        if kill in ("broker", "both"):
            broker.stop()
        if kill in ("collector", "both"):
            assert collector.end(signal.SIGKILL) == -signal.SIGKILL
            killed_collectors += 1
        for thread in threads:
            thread.join()
        if kill in ("collector", "both"):
            collector = CollectorProcess(home, settings)
        if kill in ("broker", "both"):
            broker.start()
        for sender in senders:
            sender.send(collector.address, share, noted)
        until(lambda: waiting(collector) == 0, "Kafka has all", 60)  # noqa: B023 - looked at now
        doubled_before, doubled = doubled, len(broker.messages(topics["events_topic"], share * SENDERS * EVENTS)) - share * SENDERS * EVENTS
        if kill == "broker":
            assert doubled == doubled_before
    assert [sender.answered for sender in senders] == [BATCHES] * SENDERS
    assert collector.end(signal.SIGTERM) in (0, -signal.SIGTERM)

    values = values_of(broker, topics["events_topic"], ALL)
    came = [json.loads(value) for value in values]
    assert {event["event_id"] for event in came} == {event_id for sender in senders for event_id in sender.event_ids()}
    in_flight_most = killed_collectors * (Pace().part_bytes // min(map(len, values)) + 1)
    assert len(came) - ALL <= in_flight_most
    assert first_seen(came) == {sender.visit: sender.event_ids() for sender in senders}
    once, _, _ = Counting(Bots(BotRules()), timedelta(hours=2)).in_time(read_lines(values, datetime.now(UTC)).events, BEGINNING)
    assert sorted(once["event_id"]) == sorted(event_id for sender in senders for event_id in sender.event_ids())


def first_seen(came: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Ids of each visit in the order in which they first stand in the topic."""
    ids: dict[str, dict[str, None]] = defaultdict(dict)
    for event in came:
        ids[event["session_id"]].setdefault(event["event_id"])
    return {visit: list(each) for visit, each in ids.items()}
