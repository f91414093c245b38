"""Events from a program with threads: a call returns at once, a thread sends."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Condition, Thread
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


class EventClient:
    """Sends events within a `with` block, which sends what waits before it ends.

    Make it after a server has forked its workers: a thread does not go along.

    Args:
        endpoint: the collector's `/v1/events`.
        key: a server key; None where the collector needs none.
        folder: where events outlive the process; None for memory alone.
        options: sizes and times.
        on_refused: called on the sending thread with each event that the collector does not take; None to log them.
        on_dropped: called with how many of the oldest events were dropped because too many wait; None to log it.
        http: a client of the caller's, which stays open; None for one of its own.
        sources: of time, ids and chance.
        timer: monotonic seconds.

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
        http: httpx.Client | None = None,
        sources: Sources = SYSTEM_SOURCES,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = require_address(endpoint, "endpoint")
        self._key = key
        self._options = options
        self._sources = sources
        self._timer = timer
        self._http, self._is_own = http or httpx.Client(), http is None
        self._outbox = Outbox(options, folder, sources, on_refused, on_dropped)
        self._changed = Condition()
        self._deadline: float | None = None
        self._thread = Thread(target=self._run, name="endcap-events", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Try for `close_s` to send what waits. What then still waits is in the folder, or lost where there is none."""
        with self._changed:
            self._deadline = self._timer() + self._options.close_s
            self._changed.notify_all()
        self._thread.join(self._options.close_s + self._options.timeout_s)
        if self._is_own:
            self._http.close()

    @property
    def counts(self) -> Counts:
        """What became of the events."""
        return self._outbox.counts

    def send(self, event: Event) -> str:
        """Have an event sent.

        Returns:
            its id.

        Raises:
            ClientClosed: outside of the `with` block.
            InvalidSetting: the event is no JSON, or longer than a request may be.
            OSError: the folder takes none.
        """
        return self.send_all([event])[0]

    def send_all(self, events: Iterable[Event]) -> list[str]:
        """The same for several: all of them, or none."""
        if not self._thread.is_alive() or self._deadline is not None:
            raise ClientClosed("is not open", field="EventClient", fix="send within `with EventClient(...) as client:`")
        ids = self._outbox.put(events)
        with self._changed:
            self._changed.notify_all()
        return ids

    def flush(self, within_s: float) -> bool:
        """Wait until nothing waits; False when something still does after so many seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._outbox.counts.waiting, within_s)

    def _run(self) -> None:
        while self._has_work():
            batch = self._outbox.next_batch()
            if batch:
                pause_s = self._outbox.settle(batch, self._outcome(batch))
                with self._changed:
                    self._changed.notify_all()
                self._rest(pause_s)

    def _has_work(self) -> bool:
        """Wait for an event, and a little for others to go with it; False once the client ends."""

        def is_ending() -> bool:
            return self._deadline is not None

        with self._changed:
            self._changed.wait_for(lambda: is_ending() or self._outbox.counts.waiting)
            self._changed.wait_for(lambda: is_ending() or self._outbox.is_batch_full, self._options.linger_s)
            return self._deadline is None or (self._outbox.counts.waiting > 0 and self._timer() < self._deadline)

    def _rest(self, seconds: float) -> None:
        """Pause between two tries; closing cuts it short once, and bounds those that follow."""
        with self._changed:
            if self._deadline is None:
                self._changed.wait_for(lambda: self._deadline is not None, seconds)
            else:
                self._changed.wait(max(0.0, min(seconds, self._deadline - self._timer())))

    def _outcome(self, batch: list[WaitingEvent]) -> Outcome:
        lines = lines_of(batch)
        try:
            answer = self._http.post(
                self._endpoint,
                content=body_of(lines, self._sources.clock()),
                headers=headers_of(self._key),
                timeout=self._options.timeout_s,
            )
        except httpx.RequestError:
            return Later(0.0)
        return outcome_of(answer.status_code, answer.headers.get("retry-after"), answer.content, lines)
