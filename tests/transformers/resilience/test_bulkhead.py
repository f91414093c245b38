"""Places are held until a call has really ended."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap_transformer.resilience.bulkhead import BoundedThreads, Bulkhead, BulkheadFull
from tests.waiting import until_async


@given(calls=st.integers(1, 5), moves=st.lists(st.booleans(), max_size=60))
def test_never_more_than_allowed_and_every_place_comes_back(calls: int, moves: list[bool]) -> None:
    bulkhead, inside = Bulkhead(calls), 0
    for enters in moves:
        if enters:
            room = inside < calls
            assert bulkhead.is_full() is not room
            assert bulkhead.enter() is room
            inside += room
        elif inside:
            bulkhead.leave()
            inside -= 1
        assert bulkhead.in_use == inside <= calls


class Blocked:
    """A dependency that answers when it is let."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.started = threading.Event()

    def __call__(self, value: int) -> int:
        self.started.set()
        self.go.wait(20)
        return value


async def test_a_call_nobody_waits_for_keeps_its_place_until_its_thread_is_free() -> None:
    threads, blocked = BoundedThreads("store", threads=1, calls=2), Blocked()
    running, waiting = threads.start(blocked, 1), threads.start(blocked, 2)
    await asyncio.to_thread(blocked.started.wait, 20)
    running.cancel()
    waiting.cancel()
    await until_async(lambda: threads.in_use == 1, "free threads")  # the one in the queue is gone, the one that runs is not
    again = threads.start(blocked, 3)
    with pytest.raises(BulkheadFull):
        threads.start(blocked, 4)
    blocked.go.set()
    assert await again == 3
    await until_async(lambda: threads.in_use == 0, "free threads")
    threads.close()


async def test_an_error_of_the_call_reaches_the_caller_and_frees_the_place() -> None:
    threads = BoundedThreads("store", threads=1, calls=1)

    def broken() -> None:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        await threads.start(broken)
    await until_async(lambda: threads.in_use == 0, "free threads")
    threads.close()
    with pytest.raises(RuntimeError):
        threads.start(broken)
    assert threads.in_use == 0
