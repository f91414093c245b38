"""Topics of a real broker followed, whatever happens to them."""

from random import Random

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import NewPartitions
from structlog.testing import capture_logs

from endcap.core.settings import EventSettings
from endcap.events.log.kafka_config import kafka_config
from endcap.events.schemas.frame import framed
from endcap.events.stream.kafka.following import COMMIT_EVERY_SECONDS, HOLD_SECONDS, PATIENCE_SECONDS, TopicFollower
from tests.endcap.events.stream.kafka.followed_topic import followed, ids, send, value
from tests.kafka_broker.broker import ANSWER_SECONDS, KafkaBroker
from tests.waiting import until


def test_partitions_of_two_topics_are_read_once_in_the_order_of_arrival_over_restarts(broker: KafkaBroker) -> None:
    topics = [broker.topic(3), broker.topic(1)]
    for number, topic in enumerate(topics):
        partitions = 3 if number == 0 else 1
        # The first partition is busy, the others are not.
        chosen = [place % partitions if place % 10 == 0 else 0 for place in range(400)]
        send(broker, topic, [(partition, value(f"{number} {place}", 0, 60 * place + number)) for place, partition in enumerate(chosen)])
    with followed(broker, *topics, batch_bytes=20_000) as following:
        while len(following.event_ids) < 800:
            following.until(lambda arrived: not arrived.is_nothing, "some events")
            following.restart()
        assert sorted(following.event_ids) == ids(f"{number} {place}" for number in (0, 1) for place in range(400))
        assert following.arrivals == sorted(following.arrivals)
        assert following.until(lambda arrived: not arrived.is_behind, "the end").is_nothing
        assert not following.lost and not following.broken


def test_one_look_takes_no_more_than_its_bytes_but_a_message_that_is_longer(broker: KafkaBroker) -> None:
    topic = broker.topic(2)
    long = value("long")[:-1] + b',"query":"' + b"q" * 300_000 + b'"}'
    send(broker, topic, [(place % 2, value(str(place), 0, place)) for place in range(2_000)])
    send(broker, topic, [(0, long)])
    with followed(broker, topic, batch_bytes=65_536) as following:
        most = 0
        while len(following.event_ids) < 2_001:
            most = max(most, len(following.look().events))
        # What there is room for, and 500 messages of each partition, which are taken from Kafka's client in one go.
        assert most < 65_536 // 300 + 2 * 500
        assert sorted(following.event_ids) == ids([*map(str, range(2_000)), "long"])


def test_a_step_that_failed_is_given_again(broker: KafkaBroker) -> None:
    topic = broker.topic(2)
    send(broker, topic, [(place % 2, value(str(place))) for place in range(10)])
    with followed(broker, topic) as following:
        until(lambda: len(following.follower.look(following.places).events), "events that are not stored")
        following.until_events(10)
        assert sorted(following.event_ids) == ids(map(str, range(10)))


def test_a_topic_that_is_not_there_is_waited_for_and_said_once_and_an_added_partition_is_read_from_its_beginning(
    broker: KafkaBroker,
) -> None:
    name = f"{broker.topic()}-later"
    with capture_logs() as lines, followed(broker, name) as following:
        following.until(lambda _: lines, "the missing topic is said")
        for _ in range(3):
            arrived = following.look()
            assert arrived.is_nothing and arrived.is_cut_off and arrived.holds_watermark and not arrived.is_behind
        broker.make_topic(name)
        send(broker, name, [(0, value("a"))])
        following.until_events(1)
        broker.admin.create_partitions([NewPartitions(name, 3)])[name].result(ANSWER_SECONDS)
        until(lambda: len(broker.admin.list_topics(name, timeout=ANSWER_SECONDS).topics[name].partitions) == 3, "three partitions")
        send(broker, name, [(2, value("b")), (1, value("c")), (0, value("d"))])
        following.until_events(4)
        assert sorted(following.event_ids) == ids("abcd")
        assert not following.look().is_cut_off
    assert [each["event"] for each in lines].count("a topic is not there; it is waited for") == 1


def test_an_idle_or_empty_partition_holds_nothing_up(broker: KafkaBroker) -> None:
    topic = broker.topic(4)
    send(broker, topic, [(0, value("a", 0, 10)), (1, value("b", 0, 9_000))])
    with followed(broker, topic) as following:
        following.until_events(2)
        send(broker, topic, [(0, value("c", 0, 9_500))])
        following.until_events(3)
        assert not following.look().is_behind


def test_what_kafka_deleted_before_it_was_read_is_counted_and_the_rest_is_read(broker: KafkaBroker) -> None:
    topic = broker.topic(2)
    send(broker, topic, [(0, value("0")), (1, value("1"))])
    with followed(broker, topic) as following:
        following.until_events(2)
        send(broker, topic, [(0, value(str(place))) for place in range(2, 9)])
        broker.admin.delete_records([TopicPartition(topic, 0, 6)])[TopicPartition(topic, 0)].result(ANSWER_SECONDS)
        with capture_logs() as lines:
            following.restart()
            following.look()
            seen = set(following.event_ids)
            following.until(lambda _: set(ids("8")) <= set(following.event_ids), "the last event")
        lost = following.lost.get(topic, 0)
        came = [name for name in map(str, range(2, 9)) if ids([name])[0] in following.event_ids]
        # What was fetched ahead before Kafka deleted it is not lost.
        assert lost + len(came) == 7 and len(seen) <= len(following.event_ids)
        assert lost == 5
        assert [each["lost"] for each in lines if "lost" in each] == [5]
        assert sorted(following.event_ids) == ids(["0", "1", "7", "8"])


def test_a_topic_that_is_made_anew_is_read_from_its_beginning_and_this_is_said(broker: KafkaBroker) -> None:
    topic = broker.topic(3)
    send(broker, topic, [(place % 3, value(f"old {place}")) for place in range(9)])
    with followed(broker, topic) as following:
        following.until_events(9)
        broker.admin.delete_topics([topic])[topic].result(ANSWER_SECONDS)
        following.until(lambda arrived: arrived.is_cut_off, "the topic is missed")
        broker.make_topic(topic, 2)
        # As many as were read of the old one, and more: an offset alone would not tell.
        send(broker, topic, [(place % 2, value(f"new {place}")) for place in range(20)])
        with capture_logs() as lines:
            following.until(lambda _: set(ids(f"new {place}" for place in range(20))) <= set(following.event_ids), "all new events")
        assert [each["event"] for each in lines].count("a topic was deleted and made anew; it is read from its beginning") == 1
        assert f"{topic}/2" in following.gone and f"{topic}/2" not in following.places
        assert {following.places[f"{topic}/{number}"] for number in (0, 1)} == {10}


def test_a_place_beyond_the_end_is_said_and_the_partition_read_from_its_beginning(broker: KafkaBroker) -> None:
    topic = broker.topic()
    send(broker, topic, [(0, value("a"))])
    with followed(broker, topic) as following, capture_logs() as lines:
        following.places[f"{topic}/0"] = 70
        following.until_events(1)
    assert [each["end"] for each in lines if "ends before" in each["event"]] == [1]
    assert following.places[f"{topic}/0"] == 1 and not following.lost


def test_values_of_all_kinds_neither_stop_it_nor_ask_a_registry(broker: KafkaBroker) -> None:
    topic = broker.topic()
    values = [value("a"), framed(4_000_000_000, value("b")), None, b"", b"\x01\xff\xfe", framed(1, b"{"), b"\x00\x00", value("c")]
    send(broker, topic, [(0, each) for each in values])
    with followed(broker, topic) as following:
        following.until_events(3)
        assert sorted(following.event_ids) == ids("abc")
        assert [found.byte for found in following.broken] == [3, 4, 6, 5]
        assert {found.byte: found.broken.content for found in following.broken}[4] == b"\x01\xff\xfe"
        assert following.null == {topic: 1}


def test_a_group_shows_what_is_stored_and_is_never_the_truth(broker: KafkaBroker) -> None:
    topic, seconds = broker.topic(), [0.0]
    send(broker, topic, [(0, value(str(place))) for place in range(5)])

    def timer() -> float:
        seconds[0] += 0.01
        return seconds[0]

    with followed(broker, topic, timer=timer) as following:
        following.until_events(5)
        asked = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "followed"})
        try:

            def committed() -> bool:
                seconds[0] += COMMIT_EVERY_SECONDS
                following.look()
                return asked.committed([TopicPartition(topic, 0)], timeout=ANSWER_SECONDS)[0].offset == 5

            until(committed, "the group's offset")
        finally:
            asked.close()
    with followed(broker, topic) as again:
        again.until_events(5)


def test_while_the_broker_is_away_nothing_is_raised_and_the_watermark_is_held_until_a_while_after(broker: KafkaBroker) -> None:
    topic, seconds = broker.topic(2), [0.0]

    def timer() -> float:
        seconds[0] += 0.001
        return seconds[0]

    send(broker, topic, [(0, value("a"))])
    with followed(broker, topic, timer=timer) as following:
        following.until_events(1)
        seconds[0] += HOLD_SECONDS + 1
        following.until(lambda arrived: not arrived.is_cut_off and not arrived.holds_watermark, "the watermark goes on")
        broker.stop()
        try:
            arrived = following.until(lambda arrived: arrived.is_cut_off, "the outage is seen")
            assert arrived.holds_watermark and not arrived.is_behind
        finally:
            broker.start()
        send(broker, topic, [(1, value("b")), (0, value("c"))])
        following.until_events(3)
        assert following.until(lambda arrived: not arrived.is_cut_off, "Kafka answers").holds_watermark
        seconds[0] += HOLD_SECONDS + 1
        following.until(lambda arrived: not arrived.holds_watermark, "the watermark goes on")


def test_a_partition_that_says_nothing_is_gone_without_after_a_while() -> None:
    seconds = [0.0]
    config = kafka_config(EventSettings(kafka_bootstrap="127.0.0.1:1"))
    follower = TopicFollower(config, ["t"], "g", 1_000_000, timer=lambda: seconds[0])
    try:
        for _ in range(3):
            seconds[0] += PATIENCE_SECONDS
            arrived = follower.look({"t/0": 7})
            assert (arrived.is_nothing, arrived.is_cut_off, arrived.is_behind) == (True, True, False)
    finally:
        follower.close()


@pytest.mark.parametrize("seed", range(3))
def test_doubled_shuffled_and_mixed_values_come_as_often_as_they_were_sent(broker: KafkaBroker, seed: int) -> None:
    random, topic = Random(seed), broker.topic(3)
    names = [str(random.randrange(200)) for _ in range(500)]
    contents = [value(name, 0, random.randrange(3_600)) for name in names]
    send(broker, topic, [(random.randrange(3), random.choice([each, framed(3, each)])) for each in contents])
    with followed(broker, topic, batch_bytes=random.randrange(1_024, 200_000)) as following:
        following.until_events(500)
        assert sorted(following.event_ids) == ids(names)
