import json
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap_client.errors import InvalidSetting
from endcap_client.event_queue import SENT_AT_BYTES, EventQueue
from tests.properties import examples


def line(number: int, filling: str = "") -> str:
    return json.dumps({"event_id": number, "filling": filling}, ensure_ascii=False)


def names() -> Callable[[], str]:
    numbers = count()
    return lambda: f"{next(numbers):04d}"


def queue(folder: Path | None, events: int = 100, size: int = 1_000_000) -> EventQueue:
    return EventQueue(folder, events, size, names())


def waiting(of: EventQueue) -> list[int]:
    return [json.loads(event.line)["event_id"] for event in of.batch(1_000, 10_000_000)]


def test_events_leave_in_the_order_in_which_they_came() -> None:
    one = queue(None)
    one.put([line(1), line(2)])
    one.put([line(3)])
    assert waiting(one) == [1, 2, 3]
    one.remove(one.batch(2, 1_000_000))
    assert waiting(one) == [3]


@given(st.lists(st.text(max_size=200), min_size=1, max_size=20), st.integers(1, 5), st.integers(1, 2_000))
@examples(60)
def test_a_batch_keeps_both_limits_but_for_one_event_that_is_too_long_alone(fillings: list[str], events: int, size: int) -> None:
    one = queue(None)
    one.put([line(number, filling) for number, filling in enumerate(fillings)])
    batch = one.batch(events, size)
    assert 1 <= len(batch) <= events
    assert len(batch) == 1 or sum(len(event.line.encode()) + SENT_AT_BYTES for event in batch) <= size


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_oldest_are_dropped_and_counted_when_too_many_wait(tmp_path: Path, is_kept: bool) -> None:
    one = queue(tmp_path if is_kept else None, events=3)
    for number in range(5):
        one.put([line(number)])
    assert (waiting(one), one.dropped) == ([2, 3, 4], 2)
    assert len(list(tmp_path.iterdir())) == (3 if is_kept else 0)


def test_the_oldest_are_dropped_when_they_are_too_long_together() -> None:
    one = queue(None, size=3 * (len(line(1, "x" * 100)) + SENT_AT_BYTES))
    one.put([line(number, "x" * 100) for number in range(5)])
    assert (waiting(one), one.dropped) == ([2, 3, 4], 2)


def test_what_waits_is_there_after_the_process(tmp_path: Path) -> None:
    before = queue(tmp_path)
    before.put([line(1, "one\u2028line"), line(2)])
    before.put([line(3)])
    before.remove(before.batch(1, 1_000_000))
    after = queue(tmp_path)
    assert waiting(after) == [1, 2, 3]  # a file goes with its last event; what was answered counts once
    after.remove(after.batch(3, 1_000_000))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_never_whole_is_no_queue(tmp_path: Path) -> None:
    (tmp_path / "0001.aside").write_text(line(1)[:5])
    (tmp_path / "0002.ndjson").write_text("")
    (tmp_path / "0003.ndjson").write_text(line(3) + "\n" + line(4)[:7])
    assert waiting(queue(tmp_path)) == [3]


def test_events_that_the_folder_does_not_take_are_not_in_the_queue(tmp_path: Path) -> None:
    one = queue(tmp_path / "folder")
    (tmp_path / "folder").rmdir()
    with pytest.raises(OSError, match="folder"):
        one.put([line(1)])
    assert len(one) == 0


def test_a_folder_that_cannot_be_used_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidSetting, match="folder: cannot be used"):
        queue(tmp_path / "file")
