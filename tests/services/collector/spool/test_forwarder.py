"""Logs on their way to a real broker."""

import json
import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from endcap.contracts.topics import CATALOGUE, EVENTS, value_subject
from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import CollectorSettings, SchemasSettings, Settings
from endcap.events.dead_letters.letters import opened_payload, read_letters
from endcap.events.log.kafka import VERSION_HEADER
from endcap.events.schemas.frame import framed
from endcap.events.schemas.known_ids import KnownIds
from endcap.events.schemas.released import newest_schema
from endcap.events.stream.bots import BotRules, Bots
from endcap.events.stream.columns import BEGINNING
from endcap.events.stream.counting import Counting, LeftOut
from endcap.events.stream.lines import read_lines
from endcap_collector.spool.spool import Topics
from endcap_collector.spool.topic import VERSION
from tests.kafka_broker.broker import USERS, KafkaBroker
from tests.services.collector.spool.opened_spool import NOW, QUICK, line, numbers, opened_spool, topic_settings, values_of
from tests.waiting import until_async


async def test_lines_go_out_once_in_order_with_their_persons_key(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
        for number in range(300):
            await opened.spool.events.write(line(number, user=f"é{number % 7}"))
        await until_async(lambda: opened.waiting() == 0, "Kafka has all")
        assert opened.value("endcap_collector_kafka_confirmed_total", log="events") == 300
        assert opened.value("endcap_collector_spool_waiting_bytes", log="events") == 0
    came = broker.messages(topics["events_topic"], 300)
    assert len(came) == 300
    for user in range(7):
        own = [message for message in came if message.key() == f"é{user}".encode()]
        assert len({message.partition() for message in own}) == 1
        assert numbers([message.value() or b"" for message in own]) == list(range(user, 300, 7))
    assert {tuple(message.headers() or ()) for message in came} == {((VERSION_HEADER, VERSION),)}


async def test_each_log_has_its_topic(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    letter = b'{"letter_id":"l1","reason":"said \\"user_id\\":\\"u1\\""}\n'
    async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
        await opened.spool.events.write(line(1))
        await opened.spool.letters.write(letter)
        await opened.spool.catalogue.write(b'{"item_id":"tea","price":3.9}\n')
    found = {name: broker.messages(topic, 1) for name, topic in topics.items()}
    assert {name: [message.key() for message in messages] for name, messages in found.items()} == {
        "events_topic": [b"u"],
        "rejected_topic": [b"l1"],
        "catalogue_topic": [b"tea"],
    }
    assert found["rejected_topic"][0].value() == letter[:-1]


async def test_a_message_is_what_the_topics_encoding_makes_of_a_line(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    named = Topics.of(Settings(collector=CollectorSettings(**topics)))
    own = replace(named, events=replace(named.events, encode=lambda line: b"\0\0\0\0\7" + line))
    async with opened_spool(tmp_path, broker.bootstrap, ways=own, **topics) as opened:
        await opened.spool.events.write(line(1))
    (message,) = broker.messages(topics["events_topic"], 1)
    assert (message.key(), message.value()) == (b"u", b"\0\0\0\0\7" + line(1)[:-1])


async def test_where_a_registry_is_set_values_have_the_frame_of_their_topics_schema(broker: KafkaBroker, tmp_path: Path) -> None:
    topics, schemas = topic_settings(broker), SchemasSettings(registry_url="http://127.0.0.1:1")
    known = KnownIds(Settings(home=tmp_path).schema_ids_file)
    for number, (setting, stem) in enumerate([("events_topic", EVENTS.stem), ("catalogue_topic", CATALOGUE.stem)], 7):
        known.remember(str(schemas.registry_url), value_subject(topics[setting]), newest_schema(stem).text, number)
    async with opened_spool(tmp_path, broker.bootstrap, schemas=schemas, **topics) as opened:
        await opened.spool.events.write(line(1))
        await opened.spool.letters.write(b'{"letter_id":"l1"}\n')
        await opened.spool.catalogue.write(b'{"item_id":"tea","price":3.9}\n')
        await until_async(lambda: opened.waiting() == 0, "Kafka has all")
        assert opened.value("endcap_collector_kafka_unframed_total", log="dead_letters") == 1
    values = {name: broker.messages(topic, 1)[0].value() for name, topic in topics.items()}
    assert values == {
        "events_topic": framed(7, line(1)[:-1]),
        "rejected_topic": b'{"letter_id":"l1"}',
        "catalogue_topic": framed(8, b'{"item_id":"tea","price":3.9}'),
    }


async def test_what_a_killed_collector_left_is_sent_by_the_next_without_its_half_line(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "20260301T070000-1-a-000001.jsonl").write_bytes(line(1) + line(2))
    (tmp_path / "events" / "20260301T073000-1-a-000002.jsonl.open").write_bytes(line(3) + line(4)[:-9])
    async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
        await opened.spool.events.write(line(5))
        await until_async(lambda: opened.waiting() == 0, "Kafka has all")
    assert numbers(values_of(broker, topics["events_topic"], 4)) == [1, 2, 3, 5]


async def test_the_next_collector_goes_on_where_kafka_had_confirmed(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    for number in range(3):
        async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
            await opened.spool.events.write(line(number))
    assert numbers(values_of(broker, topics["events_topic"], 3)) == [0, 1, 2]


async def test_a_place_that_was_not_stored_sends_lines_again_and_the_stream_counts_them_once(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    for _ in range(2):
        async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
            if not list((tmp_path / "events").glob("*.jsonl")):
                await opened.spool.events.write(b"".join(line(number) for number in range(10)))
        (tmp_path / "spool" / "events.json").unlink()
    sent = values_of(broker, topics["events_topic"], 20)
    assert sorted(numbers(sent)) == sorted([*range(10), *range(10)])
    counting = Counting(Bots(BotRules()), timedelta(hours=2))
    once, left_out, _ = counting.in_time(read_lines(sent, NOW).events, BEGINNING)
    assert (len(once), left_out[LeftOut.DUPLICATE]) == (10, 10)


async def test_a_damaged_place_sends_again_what_lies_there(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "events.json").write_text("")
    async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
        await opened.spool.events.write(line(1))
    assert numbers(values_of(broker, topics["events_topic"], 1)) == [1]


async def test_what_is_too_large_for_kafka_is_a_dead_letter_and_the_rest_goes_on(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker, max_message_bytes="3000")
    large = line(7, query="".join(f"{number:x}" for number in range(4_000)))
    async with opened_spool(tmp_path, broker.bootstrap, client="compression.type=none\n", **topics) as opened:
        await opened.spool.events.write(b"".join([*(line(number) for number in range(7)), large, line(8)]))
        await until_async(lambda: opened.waiting() == 0, "Kafka has all")
        assert opened.value("endcap_collector_kafka_refused_total", log="events", reason="too_large") == 1
        assert opened.value("endcap_collector_events_refused_total", kind="over_limit") == 1
    assert sorted(numbers(values_of(broker, topics["events_topic"], 8))) == [0, 1, 2, 3, 4, 5, 6, 8]
    (letter,) = read_letters(tmp_path / "dead_letters")
    assert (letter.kind, letter.key_id, letter.event_type) == ("over_limit", "collector", "page_view")
    assert "too large for Kafka" in letter.reason
    assert opened_payload(letter, opened.seal).text == large[:-1].decode()
    (rejected,) = values_of(broker, topics["rejected_topic"], 1)
    assert json.loads(rejected)["letter_id"] == str(letter.letter_id)


async def test_a_letter_that_is_too_large_for_kafka_stays_on_the_disk(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    large = json.dumps({"letter_id": "l1", "payload": "x" * 1_500_000}).encode() + b"\n"
    async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
        await opened.spool.letters.write(large)
        await opened.spool.letters.write(b'{"letter_id":"l2"}\n')
        await until_async(lambda: opened.waiting() == 0, "Kafka has all that it takes")
        assert opened.value("endcap_collector_kafka_refused_total", log="dead_letters", reason="too_large") == 1
    assert values_of(broker, topics["rejected_topic"], 1) == [b'{"letter_id":"l2"}']
    assert b"".join(file.read_bytes() for file in (tmp_path / "dead_letters").iterdir()).startswith(large)


async def test_events_wait_for_a_topic_that_is_not_there(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker) | {"events_topic": f"late-{tmp_path.name}"}
    async with opened_spool(tmp_path, broker.bootstrap, **topics) as opened:
        await opened.spool.events.write(line(1) + line(2))
        refused = {"log": "events", "reason": "topic_missing"}
        await until_async(lambda: opened.value("endcap_collector_kafka_refused_total", **refused) >= 2, "Kafka knows no such topic")
        assert opened.waiting() == 2
        broker.make_topic(topics["events_topic"])
        await until_async(lambda: opened.waiting() == 0, "Kafka has all")
    assert numbers(values_of(broker, topics["events_topic"], 2)) == [1, 2]


async def test_events_wait_for_the_right_to_write(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    login = f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.username=shop\nsasl.password={USERS['shop']}\n"
    async with opened_spool(tmp_path, broker.guarded, client=login, **topics) as opened:
        await opened.spool.events.write(line(1))
        refused = {"log": "events", "reason": "not_allowed"}
        await until_async(lambda: opened.value("endcap_collector_kafka_refused_total", **refused) >= 1, "Kafka does not allow it")
        broker.allow_writing("shop", topics["events_topic"])
        await until_async(lambda: opened.waiting() == 0, "Kafka has all")
    assert numbers(values_of(broker, topics["events_topic"], 1)) == [1]


async def test_files_that_kafka_has_go_after_their_time_and_letters_stay(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    events, letters = tmp_path / "events", tmp_path / "dead_letters"
    for folder, content in ((events, line(1)), (letters, b'{"letter_id":"l1"}\n')):
        folder.mkdir()
        for name, age in (("20260301T060000-1-a-000001.jsonl", 7_200), ("20260301T073000-1-a-000002.jsonl.open", 60)):
            (folder / name).write_bytes(content)
            written = (NOW - timedelta(seconds=age)).timestamp()
            os.utime(folder / name, (written, written))
    async with opened_spool(tmp_path, broker.bootstrap, **topics, spool_keep_seconds=3_600) as opened:
        await opened.spool.events.write(line(2))
        await until_async(lambda: len(list(events.iterdir())) == 2, "the old file is removed")
        await until_async(lambda: opened.waiting() == 0, "Kafka has all")
    assert sorted(numbers(values_of(broker, topics["events_topic"], 3))) == [1, 1, 2]
    assert len(list(letters.iterdir())) == 2
    assert set(json.loads((tmp_path / "spool" / "events.json").read_text())) == {file.name.partition(".")[0] for file in events.iterdir()}


async def test_a_second_forwarder_of_a_folder_is_refused(broker: KafkaBroker, tmp_path: Path) -> None:
    topics = topic_settings(broker)
    async with opened_spool(tmp_path, broker.bootstrap, **topics):
        with pytest.raises(DependencyUnavailable, match="another collector sends from this folder"):
            async with opened_spool(tmp_path, broker.bootstrap, **topics):
                pass


async def test_a_disk_that_refuses_the_place_stops_nothing(broker: KafkaBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    topics = topic_settings(broker)

    def refused(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async with opened_spool(tmp_path, broker.bootstrap, pace=QUICK, **topics) as opened:
        with monkeypatch.context() as patch:
            patch.setattr("endcap_collector.spool.places.replace_text", refused)
            await opened.spool.events.write(line(1))
            await until_async(lambda: opened.waiting() == 0, "Kafka has the first")
        await opened.spool.events.write(line(2))
        await until_async(lambda: opened.waiting() == 0, "Kafka has both")
    assert numbers(values_of(broker, topics["events_topic"], 2)) == [1, 2]
    assert list(json.loads((tmp_path / "spool" / "events.json").read_text()).values()) == [len(line(1) + line(2))]
