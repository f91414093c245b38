"""Events from a program with an event loop: a task sends."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from endcap_client.errors import ClientClosed
from endcap_client.event import Event
from endcap_client.event_queue import WaitingEvent
from endcap_client.exchange import Later, Outcome, RefusedEvent, body_of, headers_of, outcome_of, require_address
from endcap_client.outbox import Counts, Outbox, lines_of
from endcap_client.sending_options import DEFAULT_OPTIONS, SendingOptions
from endcap_client.sources import SYSTEM_SOURCES, Sources


class AsyncEventClient:
    """As `EventClient`, within an `async with` block.

    Args:
        endpoint: the collector's `/v1/events`.
        key: a server key; None where the collector needs none.
        folder: where events outlive the process; None for memory alone.
        options: sizes and times.
        on_refused: called with each event that the collector does not take; None to log them.
        on_dropped: called with how many of the oldest events were dropped because too many wait; None to log it.
        http: a client of the caller's, which stays open; None for one of its own.
        sources: of time, ids and chance.

    Raises:
        InvalidSetting: the endpoint is no address, or the folder cannot be used.
    """

    def __init__(
        self,
        endpoint: str,
        key: str | None = None,
        *,
        folder: Path | None = None,
        options: SendingOptions = DEFAULT_OPTIONS,
        on_refused: Callable[[RefusedEvent], None] | None = None,
        on_dropped: Callable[[int], None] | None = None,
        http: httpx.AsyncClient | None = None,
        sources: Sources = SYSTEM_SOURCES,
    ) -> None:
        self._endpoint = require_address(endpoint, "endpoint")
        self._key = key
        self._options = options
        self._sources = sources
        self._http, self._is_own = http or httpx.AsyncClient(), http is None
        self._outbox = Outbox(options, folder, sources, on_refused, on_dropped)
        self._came, self._is_full, self._settled, self._closing = (asyncio.Event() for _ in range(4))
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        self._note()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Try for `close_s` to send what waits. What then still waits is in the folder, or lost where there is none."""
        self._closing.set()
        if self._task is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._task, self._options.close_s)
        if self._is_own:
            await self._http.aclose()

    @property
    def counts(self) -> Counts:
        """What became of the events."""
        return self._outbox.counts

    async def send(self, event: Event) -> str:
        """Have an event sent.

        Returns:
            its id.

        Raises:
            ClientClosed: outside of the `async with` block.
            InvalidSetting: the event is no JSON, or longer than a request may be.
            OSError: the folder takes none.
        """
        return (await self.send_all([event]))[0]

    async def send_all(self, events: Iterable[Event]) -> list[str]:
        """The same for several: all of them, or none."""
        if self._task is None or self._closing.is_set():
            raise ClientClosed("is not open", field="AsyncEventClient", fix="send within `async with AsyncEventClient(...) as client:`")
        ids = await asyncio.to_thread(self._outbox.put, list(events))
        self._note()
        return ids

    async def flush(self, within_s: float) -> bool:
        """Wait until nothing waits; False when something still does after so many seconds."""
        try:
            async with asyncio.timeout(within_s):
                while self._outbox.counts.waiting:
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            return False
        return True

    def _note(self) -> None:
        if self._outbox.counts.waiting:
            self._came.set()
        if self._outbox.is_batch_full:
            self._is_full.set()

    async def _run(self) -> None:
        while not self._closing.is_set() or self._outbox.counts.waiting:
            await self._first_of(self._came)
            await self._first_of(self._is_full, within_s=self._options.linger_s)
            self._came.clear()
            self._is_full.clear()
            pause_s = 0.0
            if batch := self._outbox.next_batch():
                pause_s = self._outbox.settle(batch, await self._outcome(batch))
                self._settled.set()
            self._note()
            if self._closing.is_set():
                await asyncio.sleep(pause_s)
            elif pause_s:
                await self._first_of(within_s=pause_s)

    async def _first_of(self, *events: asyncio.Event, within_s: float | None = None) -> None:
        """Wait for one of the events, for the client's end, or until the time is over."""
        waits = [asyncio.create_task(event.wait()) for event in (*events, self._closing)]
        try:
            await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _outcome(self, batch: list[WaitingEvent]) -> Outcome:
        lines = lines_of(batch)
        try:
            answer = await self._http.post(
                self._endpoint,
                content=body_of(lines, self._sources.clock()),
                headers=headers_of(self._key),
                timeout=self._options.timeout_s,
            )
        except httpx.RequestError:
            return Later(0.0)
        return outcome_of(answer.status_code, answer.headers.get("retry-after"), answer.content, lines)
