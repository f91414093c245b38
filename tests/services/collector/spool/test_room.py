"""How much may wait for Kafka."""

from hypothesis import given
from hypothesis import strategies as st

from endcap_collector.spool.backlog import Backlog
from endcap_collector.spool.room import Room
from tests.properties import examples

LINES = st.lists(st.binary(max_size=8).map(lambda text: text.replace(b"\n", b"") + b"\n"), min_size=1, max_size=4).map(b"".join)


@examples(100)
@given(st.lists(st.tuples(st.booleans(), LINES), max_size=40))
def test_what_waits_never_exceeds_the_bound_and_is_counted_exactly(steps: list[tuple[bool, bytes]]) -> None:
    room = Room(64)
    backlogs = [Backlog(room), Backlog(room)]
    waiting: list[tuple[Backlog, bytes]] = []
    for place, (is_confirmed, content) in enumerate(steps):
        if is_confirmed and waiting:
            backlog, first = waiting.pop(0)
            backlog.remove(len(first), first.count(b"\n"))
            continue
        backlog = backlogs[place % 2]
        before = sum(each.bytes for each in backlogs)
        is_taken = backlog.add(content)
        assert is_taken == (before + len(content) <= 64)
        if is_taken:
            waiting.append((backlog, content))
        assert room.is_full == (not is_taken)
    for backlog in backlogs:
        own = [content for each, content in waiting if each is backlog]
        assert (backlog.bytes, backlog.lines) == (sum(map(len, own)), sum(content.count(b"\n") for content in own))


def test_it_is_full_until_what_was_refused_has_room() -> None:
    room = Room(10)
    assert room.take(8)
    assert not room.is_full
    assert not room.take(5)
    assert room.is_full
    room.give_back(2)
    assert room.is_full
    room.give_back(1)
    assert not room.is_full


def test_what_takes_the_place_of_something_that_waits_goes_beyond_the_bound() -> None:
    backlog = Backlog(Room(10))
    assert backlog.add(b"12345678\n")
    backlog.add_beyond(20, 1)
    assert (backlog.bytes, backlog.lines, backlog.add(b"\n")) == (29, 2, False)
