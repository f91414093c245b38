"""What waits side by side, without Kafka."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.events.probes.line import probe_line
from endcap.events.schemas.frame import framed
from endcap.events.stream.kafka.side_by_side import Fetched, SideBySide
from endcap.events.stream.lines import read_lines
from tests.endcap.events.stream.kafka.followed_topic import NOW, ids, value
from tests.endcap.events.stream.streamed_events import BEGIN
from tests.properties import examples


class Waiting:
    """Messages that wait, and how many had no value."""

    def __init__(self) -> None:
        self.null: list[str] = []
        self.side_by_side = SideBySide(read_lines, lambda: NOW, lambda topic, _: self.null.append(topic))


def message(partition: str, offset: int, content: bytes | None, sent: float = 0) -> Fetched:
    return Fetched(partition, offset, content, int((BEGIN + timedelta(seconds=sent)).timestamp() * 1_000))


drawn_arrivals = st.lists(st.lists(st.integers(0, 300), max_size=12), min_size=1, max_size=4)


@examples(60)
@given(drawn_arrivals, st.data())
def test_all_is_taken_once_in_its_partitions_order_and_nothing_before_others_came_as_far(
    arrivals: Sequence[Sequence[int]], data: st.DataObject
) -> None:
    waiting = Waiting().side_by_side
    queues = {
        f"t/{number}": [message(f"t/{number}", place, value(f"{number} {place}", 0, second)) for place, second in enumerate(seconds)]
        for number, seconds in enumerate(arrivals)
    }
    arrived = {name: list(seconds) for name, seconds in zip(queues, arrivals, strict=True)}
    fetched, taken = defaultdict[str, int](int), defaultdict[str, int](int)
    found: list[str] = []
    while any(fetched[name] < len(queue) for name, queue in queues.items()) or waiting.bytes:
        batch = []
        for name, queue in queues.items():
            count = data.draw(st.integers(0 if waiting.has(name) or fetched[name] == len(queue) else 1, 4))
            batch += queue[fetched[name] : fetched[name] + count]
            fetched[name] = min(len(queue), fetched[name] + count)
        waiting.add(data.draw(st.permutations(batch)) if len({each.partition for each in batch}) == len(batch) else batch)
        with_more = [name for name, queue in queues.items() if fetched[name] < len(queue)]
        together = waiting.take(with_more)
        horizon = min((max(arrived[name][taken[name] : fetched[name]]) for name in with_more), default=300)
        for name, following in together.next.items():
            assert max(arrived[name][taken[name] : following]) <= horizon
            taken[name] = following
        assert together.events["received_at"].is_sorted()
        found += together.events["event_id"].to_list()
        assert together.next or not with_more
    assert sorted(found) == ids(f"{number} {place}" for number, seconds in enumerate(arrivals) for place in range(len(seconds)))
    assert not any(waiting.has(name) or waiting.bytes_of(name) for name in queues)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "value: the value is empty"),
        (b"\x07" + value("a"), "value: begins with the byte 7"),
        (b"\x00\x00", "value: has 2 bytes"),
        (b"\x00\x00\x00\x00\x01", "value: holds no JSON"),
        (b" \n ", "value: holds no JSON"),
        (framed(9, b"no json"), "the line is no JSON"),
        (b"[1]", "an event is a JSON object"),
        (value("a") + b"\n" + value("b"), "the line is no JSON"),
    ],
)
def test_a_value_that_is_no_event_is_named_by_its_place_with_its_bytes(content: bytes, reason: str) -> None:
    waiting = Waiting().side_by_side
    waiting.add([message("t/0", 40, value("before")), message("t/0", 41, content), message("t/0", 42, value("after"))])
    together = waiting.take(())
    (found,) = together.broken
    assert (found.file, found.byte, found.broken.line, found.broken.reason) == ("t/0", 41, 0, reason)
    assert found.broken.content.replace(b" ", b"\n") in (content.replace(b" ", b"\n"), content[5:].replace(b" ", b"\n"))
    assert sorted(together.events["event_id"]) == ids(["before", "after"])
    assert together.next == {"t/0": 43}


def test_framed_plain_and_indented_values_are_read_alike() -> None:
    waiting = Waiting().side_by_side
    contents = [value("a"), framed(2**32 - 1, value("b")), value("c").replace(b",", b",\r\n  ")]
    waiting.add([message("t/0", place, content) for place, content in enumerate(contents)])
    together = waiting.take(())
    assert (sorted(together.events["event_id"]), together.broken) == (ids("abc"), [])


def test_messages_without_a_value_are_passed_over_and_counted() -> None:
    waiting = Waiting()
    waiting.side_by_side.add([message("t/0", 3, None), message("t/0", 4, value("a")), message("t/1", 0, None)])
    together = waiting.side_by_side.take(())
    assert (together.events["event_id"].to_list(), together.broken, together.next) == (ids("a"), [], {"t/0": 5, "t/1": 1})
    assert waiting.null == ["t", "t"]


def test_while_a_partition_is_waited_for_nothing_is_taken() -> None:
    waiting = Waiting().side_by_side
    waiting.add([message("t/0", 0, value("a"))])
    assert (len(waiting.take(None).events), waiting.has("t/0")) == (0, True)


def test_what_has_no_moment_of_its_own_goes_by_its_timestamp() -> None:
    waiting = Waiting().side_by_side
    waiting.add([message("t/0", 0, value("a", 0, 5)), message("t/0", 1, b"no event", 50), message("t/1", 0, value("b", 0, 20))])
    assert waiting.take(["t/1"]).next == {"t/0": 1, "t/1": 1}


@examples(40)
@given(st.lists(st.lists(st.tuples(st.integers(0, 300), st.booleans(), st.booleans()), max_size=8), min_size=1, max_size=3))
def test_probes_are_taken_with_their_partition_and_events_as_without_them(arrivals: Sequence[Sequence[tuple[int, bool, bool]]]) -> None:
    probed, without = Waiting().side_by_side, Waiting().side_by_side
    made: list[tuple[str, datetime]] = []
    for number, messages in enumerate(arrivals):
        for offset, (second, is_probe, is_framed) in enumerate(messages):
            name, at = f"t/{number}", BEGIN + timedelta(seconds=second)
            content = probe_line("a", at, Random(offset)).strip().encode() if is_probe else value(f"{number} {offset}", 0, second)
            sent = message(name, offset, framed(9, content) if is_framed else content)
            probed.add([sent])
            if is_probe:
                made.append((name, at))
            else:
                without.add([sent])
    taken = probed.take(())
    assert sorted(taken.probes.rows()) == sorted(made)
    assert taken.events["event_id"].to_list() == without.take(()).events["event_id"].to_list()
    assert (taken.broken, probed.bytes) == ([], 0)
    assert taken.next == {f"t/{number}": len(messages) for number, messages in enumerate(arrivals) if messages}
