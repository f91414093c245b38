"""The collector in front of a real broker."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from endcap.contracts.event_type import EventType
from tests.endcap.events.sent_events import sent
from tests.kafka_broker.broker import KafkaBroker
from tests.services.collector.running_collector import NOW, Running, running
from tests.services.collector.spool.opened_spool import topic_settings, values_of
from tests.waiting import until_async


def view(name: str) -> dict[str, object]:
    return sent(EventType.PRODUCT_VIEW, NOW, name)


def metric(page: str, name: str) -> float:
    return next(float(row.split()[-1]) for row in page.splitlines() if row.startswith(name))


async def shown(collector: Running, name: str) -> float:
    return metric((await collector.client.get("/metrics")).text, name)


@contextmanager
def away(broker: KafkaBroker) -> Iterator[None]:
    """A broker that is gone, and comes back at the end."""
    broker.stop()
    try:
        yield
    finally:
        broker.start()


async def test_while_kafka_is_away_events_are_taken_until_the_spool_is_full_and_again_when_there_is_room(
    broker: KafkaBroker, tmp_path: Path
) -> None:
    topics, now, accepted = topic_settings(broker), [NOW], 0
    with ExitStack() as kafka:
        kafka.enter_context(away(broker))
        async with running(tmp_path, kafka=broker.bootstrap, clock=lambda: now[0], spool_bytes_max=4_000, **topics) as collector:
            while (answer := await collector.send([view(f"{accepted}")])).status_code == 200:
                assert (await collector.client.get("/readyz")).status_code == 200
                accepted += 1
            assert accepted > 3
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert answer.json() == {"error": "the spool is full: Kafka did not confirm what waits"}
            assert (await collector.client.get("/readyz")).status_code == 503
            now[0] = NOW + timedelta(seconds=400)
            assert await shown(collector, 'endcap_collector_spool_waiting_events{log="events"}') == accepted
            assert 3_000 < await shown(collector, 'endcap_collector_spool_waiting_bytes{log="events"}') <= 4_000
            await until_async(lambda: _sample(collector, "oldest_seconds") == 400, "the age of the first of them is known", 30)
            assert await shown(collector, "endcap_collector_spool_limit_bytes") == 4_000
            kafka.close()
            await until_async(lambda: not _waits(collector), "Kafka has all", 30)
            assert (await collector.client.get("/readyz")).status_code == 200
            assert (await collector.send([view(f"{accepted}")])).json()["accepted"] == 1, "what was refused is new"
            await until_async(lambda: not _waits(collector), "Kafka has all", 30)
    values = values_of(broker, topics["events_topic"], accepted + 1)
    assert len(values) == accepted + 1 == len({json.loads(value)["event_id"] for value in values})


def _waits(collector: Running) -> bool:
    return bool(_sample(collector, "waiting_events"))


def _sample(collector: Running, name: str) -> float | None:
    found: float | None = collector.parts.registry.get_sample_value(f"endcap_collector_spool_{name}", {"log": "events"})
    return found


async def test_an_event_that_is_sent_again_is_known_after_a_restart_while_its_file_is_kept(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    for expected in ((1, 0), (0, 1)):
        async with running(tmp_path, kafka=broker.bootstrap, **topics) as collector:
            answer = (await collector.send([view("a")])).json()
            assert (answer["accepted"], answer["duplicates"]) == expected
    assert len(values_of(broker, topics["events_topic"], 1)) == 1
