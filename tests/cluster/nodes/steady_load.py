"""Requests at a fixed rate, whatever becomes of those before, and what became of each."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.cluster.nodes.background_loop import BackgroundLoop
from tests.cluster.nodes.http_exchange import ExchangeFailed, get

PATH = "/v1/recommendations"
TIMEOUT_S = 15.0


@dataclass
class LoadReport:
    """What became of the requests.

    Attributes:
        answered: good answers by their text.
        failed: the others by kind: `refused`, `cut off`, `timeout`, `no endpoint`, or the answer's text.
    """

    answered: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)


class SteadyLoad:
    """Sends from `__enter__` to `__exit__`, which waits for the last answers, or until all were sent.

    Args:
        loop: runs it.
        port: of loopback.
        per_second: requests a second, evenly.
        most: requests at most.
        path: of each request.
    """

    def __init__(self, loop: BackgroundLoop, port: int, *, per_second: float = 50.0, most: int = 10_000, path: str = PATH) -> None:
        self._loop = loop
        self._port = port
        self._interval_s = 1 / per_second
        self._most = most
        self._path = path
        self._stopped = asyncio.Event()
        self.report = LoadReport()

    def __enter__(self) -> Self:
        self._sending = asyncio.run_coroutine_threadsafe(self._send_all(), self._loop.asyncio_loop)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.call(self._stopped.set)
        self._sending.result(2 * TIMEOUT_S)

    async def _send_all(self) -> None:
        loop = asyncio.get_running_loop()
        started, sent = loop.time(), 0
        async with asyncio.TaskGroup() as requests:
            while sent < self._most and not self._stopped.is_set():
                requests.create_task(self._send())
                sent += 1
                await asyncio.sleep(max(0.0, started + sent * self._interval_s - loop.time()))

    async def _send(self) -> None:
        try:
            answered = await get(self._port, self._path, TIMEOUT_S)
        except ExchangeFailed as failed:
            self.report.failed[failed.kind] += 1
            return
        counted = self.report.answered if answered.status == 200 else self.report.failed
        counted[answered.body] += 1
