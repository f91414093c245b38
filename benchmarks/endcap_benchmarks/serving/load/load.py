"""`python -m endcap_benchmarks.serving.load.load PLAN RESULT`: the load process.

It prints `ready`, waits for a line on standard input, sends, prints `sent` at the end of the stretch, and only then reads what the answers
say and writes it: between the two lines it does as little as it can, since it shares the machine with what it measures.

The event loop waits with `select`, whose time-outs are kept to a tenth of a millisecond; those of epoll and uvloop are whole milliseconds.
"""

import asyncio
import gc
import json
import selectors
import sys
import time
from pathlib import Path
from typing import Any, Protocol

from endcap_benchmarks.serving.load.http_sender import HttpSender, RawAnswer
from endcap_benchmarks.serving.load.http_sender import raw_lists as http_lists
from endcap_benchmarks.serving.load.plan import Exchange, LoadPlan, write_exchanges

CONNECTIONS = 16
IN_FLIGHT_MAX = 900
"""`select` takes 1,024 file descriptors; requests beyond are counted as not answered."""
OK = 200


class Sender(Protocol):
    """One protocol."""

    def prepared(self, instance: dict[str, Any]) -> bytes: ...

    async def open(self, connections: int) -> None: ...

    async def send(self, request: bytes) -> RawAnswer: ...

    async def close(self) -> None: ...


def main() -> int:
    plan_path, result_path = map(Path, sys.argv[1:3])
    plan = LoadPlan.read(plan_path)
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        sent = runner.run(_run(plan))
    write_exchanges(result_path, [_exchange(plan, each) for each in sent])
    return 0


class Sent:
    """One request under way: which, when due, when sent, and what came when."""

    __slots__ = ("answer", "done_s", "due_s", "number", "sent_s")

    def __init__(self, number: int, due_s: float, sent_s: float) -> None:
        self.number = number
        self.due_s = due_s
        self.sent_s = sent_s
        self.done_s: float | None = None
        self.answer: RawAnswer | None = None


async def _run(plan: LoadPlan) -> list[Sent]:
    sender = _sender(plan)
    requests = [sender.prepared(instance) for instance in plan.instances]
    await sender.open(CONNECTIONS if plan.send_at_s is not None else plan.clients)
    gc.collect()
    gc.freeze()
    _say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    if plan.send_at_s is not None:
        sent = await _open_loop(sender, requests, plan.send_at_s, plan.seconds)
    else:
        sent = await _closed_loop(sender, requests, plan.clients, plan.seconds)
    _say("sent")
    await sender.close()
    return sent


async def _open_loop(sender: Sender, requests: list[bytes], due: list[float], patience_s: float) -> list[Sent]:
    start = time.perf_counter()
    sent: list[Sent] = []
    under_way: set[asyncio.Task[None]] = set()
    for number, due_s in enumerate(due):
        wait_s = due_s - (time.perf_counter() - start)
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        each = Sent(number, due_s, time.perf_counter() - start)
        sent.append(each)
        if len(under_way) < IN_FLIGHT_MAX:
            task = asyncio.create_task(_ask(sender, requests[number], each, start))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(0)
    if under_way:
        _, late = await asyncio.wait(under_way, timeout=patience_s)
        for task in late:
            task.cancel()
    return sent


async def _closed_loop(sender: Sender, requests: list[bytes], clients: int, seconds: float) -> list[Sent]:
    start = time.perf_counter()
    sent: list[Sent] = []

    async def client(first: int) -> None:
        number = first
        while (now_s := time.perf_counter() - start) < seconds:
            each = Sent(number % len(requests), now_s, now_s)
            sent.append(each)
            await _ask(sender, requests[each.number], each, start)
            number += clients

    await asyncio.gather(*(client(first) for first in range(clients)))
    return sent


async def _ask(sender: Sender, request: bytes, each: Sent, start: float) -> None:
    try:
        each.answer = await sender.send(request)
        each.done_s = time.perf_counter() - start
    except OSError:
        return


def _sender(plan: LoadPlan) -> Sender:
    if plan.protocol == "http":
        return HttpSender(plan.port, plan.model)
    from endcap_benchmarks.serving.load.grpc_sender import GrpcSender

    return GrpcSender(plan.port, plan.model)


def _exchange(plan: LoadPlan, each: Sent) -> Exchange:
    kind = plan.kinds[each.number]
    if each.answer is None or each.done_s is None:
        return Exchange(kind, each.due_s, each.sent_s, None, 0)
    status = each.answer.status
    if status != OK or not plan.timings:
        waits = b"retry-after" in each.answer.header.lower()
        return Exchange(kind, each.due_s, each.sent_s, each.done_s, status, retry_after=waits)
    answer = _lists(plan, each.answer)[0]
    return Exchange(
        kind,
        each.due_s,
        each.sent_s,
        each.done_s,
        status,
        timings_ms=answer["timings_ms"],
        degraded=answer["degraded"],
        items=len(answer["recommendations"]),
    )


def _lists(plan: LoadPlan, answer: RawAnswer) -> Any:
    if plan.protocol == "http":
        return http_lists(answer)
    from endcap_benchmarks.serving.load.grpc_sender import raw_lists

    return raw_lists(answer)


def _say(word: str) -> None:
    sys.stdout.write(json.dumps(word) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
