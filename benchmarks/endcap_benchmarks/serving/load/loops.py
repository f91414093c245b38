"""How a load process sends: as it is due, or each client when it has its answer; and the words it exchanges with its parent.

The event loop waits with `select`, whose time-outs are kept to a tenth of a millisecond; those of epoll and uvloop are whole milliseconds.
"""

import asyncio
import gc
import json
import selectors
import sys
import time
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, TypeVar

from endcap_benchmarks.serving.load.http_sender import RawAnswer

T = TypeVar("T")

IN_FLIGHT_MAX = 900
"""`select` takes 1,024 file descriptors; requests beyond are counted as not answered."""


class Sender(Protocol):
    """Sends prepared requests."""

    async def send(self, request: bytes) -> RawAnswer: ...


class Sent:
    """One request under way: which, when due, when sent, and what came when."""

    __slots__ = ("answer", "done_s", "due_s", "number", "sent_s")

    def __init__(self, number: int, due_s: float, sent_s: float) -> None:
        self.number = number
        self.due_s = due_s
        self.sent_s = sent_s
        self.done_s: float | None = None
        self.answer: RawAnswer | None = None


def run_loop(sending: Coroutine[Any, Any, T]) -> T:
    """Run in an event loop that waits with `select`."""
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        return runner.run(sending)


async def begun() -> asyncio.Event:
    """Say `ready` and wait for a line on standard input; the event is set by a further one, or by its end."""
    gc.collect()
    gc.freeze()
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    stop, loop, source = asyncio.Event(), asyncio.get_running_loop(), sys.stdin.fileno()

    def end() -> None:
        loop.remove_reader(source)
        stop.set()

    loop.add_reader(source, end)
    return stop


async def open_loop(
    sender: Sender, requests: Sequence[bytes], due: Sequence[float], patience_s: float, stop: asyncio.Event | None = None
) -> list[Sent]:
    """Send each request when it is due, whatever became of those before.

    Args:
        sender: of the protocol.
        requests: prepared, one a moment.
        due: seconds from the start, ascending.
        patience_s: how long answers are waited for after the last request.
        stop: ends it before its time.
    """
    start = time.perf_counter()
    sent: list[Sent] = []
    under_way: set[asyncio.Task[None]] = set()
    for number, due_s in enumerate(due):
        if stop is not None and stop.is_set():
            break
        wait_s = due_s - (time.perf_counter() - start)
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        each = Sent(number, due_s, time.perf_counter() - start)
        sent.append(each)
        if len(under_way) < IN_FLIGHT_MAX:
            task = asyncio.create_task(ask(sender, requests[number], each, start))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(0)
    if under_way:
        _, late = await asyncio.wait(under_way, timeout=patience_s)
        for task in late:
            task.cancel()
    return sent


async def closed_loop(sender: Sender, requests: Sequence[bytes], clients: int, seconds: float) -> list[Sent]:
    """Clients that wait for their answer before they ask again; the requests start over at their end.

    Args:
        sender: of the protocol.
        requests: prepared.
        clients: how many.
        seconds: how long they ask.
    """
    start = time.perf_counter()
    sent: list[Sent] = []

    async def client(first: int) -> None:
        number = first
        while (now_s := time.perf_counter() - start) < seconds:
            each = Sent(number % len(requests), now_s, now_s)
            sent.append(each)
            await ask(sender, requests[each.number], each, start)
            number += clients

    await asyncio.gather(*(client(first) for first in range(clients)))
    return sent


async def ask(sender: Sender, request: bytes, each: Sent, start: float) -> None:
    """Send one request and keep what came; nothing does when the connection breaks."""
    try:
        each.answer = await sender.send(request)
        each.done_s = time.perf_counter() - start
    except OSError:
        return


def say(word: str) -> None:
    """A line for the parent."""
    sys.stdout.write(json.dumps(word) + "\n")
    sys.stdout.flush()
