"""Probes on their way to a real broker."""

from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random

from endcap.events.probes.line import is_probe, made_at, probe_line
from tests.kafka_broker.broker import KafkaBroker
from tests.services.collector.spool.opened_spool import NOW, line, opened_spool, topic_settings
from tests.waiting import until_async

PROBES = 6


async def test_probes_go_round_all_partitions_and_are_confirmed_without_being_counted(broker: KafkaBroker, tmp_path: Path) -> None:
    topics, random = topic_settings(broker), Random(1)
    async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
        for number in range(PROBES):
            await opened.spool.events.write(line(number))
            made = NOW + timedelta(seconds=number)
            await opened.spool.events.write(probe_line("collector a", made, random).encode())
        await until_async(lambda: opened.waiting() == 0, "Kafka has all")
        assert opened.value("endcap_collector_kafka_confirmed_total", log="events") == PROBES
        assert opened.value("endcap_probe_timestamp_seconds", station="kafka") == (NOW + timedelta(seconds=PROBES - 1)).timestamp()
    came = broker.messages(topics["events_topic"], 2 * PROBES)
    probes = [message for message in came if is_probe(message.value() or b"")]
    assert Counter(message.partition() for message in probes) == {0: 2, 1: 2, 2: 2}
    assert {message.key() for message in probes} == {b"collector a"}
    assert sorted(moment for each in probes if (moment := made_at(each.value() or b""))) == [
        NOW + timedelta(seconds=each) for each in range(PROBES)
    ]


async def test_a_damaged_probe_holds_nothing_up(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
        for damaged in (b'{"event_type":"probe"}\n', b'{"event_type":"probe","occurred_at":"2026-03-01T08:00:00"}\n', line(1)):
            await opened.spool.events.write(damaged)
        await until_async(lambda: opened.waiting() == 0, "Kafka has all")
        assert opened.value("endcap_collector_kafka_confirmed_total", log="events") == 1
        assert opened.value("endcap_probe_timestamp_seconds", station="kafka") == 0


async def test_a_change_of_an_item_that_looks_like_a_probe_is_counted(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
        await opened.spool.catalogue.write(b'{"item_id":"tea","item":{"attributes":{"event_type":"probe"}},"x":{"event_type":"probe"}}\n')
        await until_async(lambda: opened.waiting() == 0, "Kafka has all")
        assert opened.value("endcap_collector_kafka_confirmed_total", log="catalogue") == 1
        assert opened.value("endcap_probe_timestamp_seconds", station="kafka") == 0


async def test_probes_that_wait_out_an_outage_are_confirmed_after_it(broker: KafkaBroker, tmp_path: Path) -> None:
    topics, random = topic_settings(broker), Random(2)
    broker.stop()
    async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
        for number in range(50):
            await opened.spool.events.write(probe_line("a", NOW + timedelta(seconds=number), random).encode())
        assert opened.value("endcap_probe_timestamp_seconds", station="kafka") == 0
        broker.start()
        await until_async(lambda: opened.waiting() == 0, "Kafka has all", 60)
        assert opened.value("endcap_probe_timestamp_seconds", station="kafka") == (NOW + timedelta(seconds=49)).timestamp()
        assert opened.value("endcap_collector_kafka_confirmed_total", log="events") == 0
