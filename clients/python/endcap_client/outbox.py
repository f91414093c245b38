"""What both clients do between two requests: take events in, choose what goes next, and act on the answer."""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TypeVar

from endcap_client.errors import InvalidSetting
from endcap_client.event import Event, event_text
from endcap_client.event_queue import SENT_AT_BYTES, EventQueue, WaitingEvent
from endcap_client.exchange import Answered, Later, Outcome, RefusedEvent, TooLong
from endcap_client.sending_options import SendingOptions
from endcap_client.sources import Sources

T = TypeVar("T")
_LOG = logging.getLogger("endcap_client")


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of events since the client was opened.

    Attributes:
        accepted: stored by the collector now.
        duplicates: stored before.
        refused: not taken.
        dropped: left out because too many waited.
        waiting: not answered yet.
    """

    accepted: int
    duplicates: int
    refused: int
    dropped: int
    waiting: int


class Outbox:
    """For any thread.

    Args:
        options: sizes and pauses.
        folder: where events outlive the process; None for memory alone.
        sources: of time, ids and chance.
        on_refused: called with each event that the collector does not take; None to log them.
        on_dropped: called with how many events were dropped; None to log it.
    """

    def __init__(
        self,
        options: SendingOptions,
        folder: Path | None,
        sources: Sources,
        on_refused: Callable[[RefusedEvent], None] | None,
        on_dropped: Callable[[int], None] | None,
    ) -> None:
        self._options = options
        self._sources = sources
        self._on_refused = on_refused or _log_refused
        self._on_dropped = on_dropped or _log_dropped
        self._lock = Lock()
        self._queue = EventQueue(folder, options.queue_events, options.queue_bytes, self._new_name)
        self._accepted = self._duplicates = self._refused = 0
        self._failures = 0
        self._events_most = options.batch_events
        self._dropped_reported = 0

    @property
    def counts(self) -> Counts:
        return Counts(self._accepted, self._duplicates, self._refused, self._queue.dropped, len(self._queue))

    def put(self, events: Iterable[Event]) -> list[str]:
        """Take events in; when this returns, they outlive the process where there is a folder.

        Returns:
            the id of each.

        Raises:
            InvalidSetting: an event is no JSON, or longer than a request may be.
            OSError: the folder takes none.
        """
        now = self._sources.clock()
        texts = [event_text(event, self._sources.new_id(), now) for event in events]
        for line, event_id in texts:
            size = len(line.encode()) + SENT_AT_BYTES
            if size > self._options.batch_bytes:
                raise InvalidSetting("is longer than a request may be", field=event_id, value=size, fix="send less in `properties`")
        with self._lock:
            self._queue.put([line for line, _ in texts])
        self._report_dropped()
        return [event_id for _, event_id in texts]

    def next_batch(self) -> list[WaitingEvent]:
        """What goes next; empty when nothing waits."""
        with self._lock:
            return self._queue.batch(self._events_most, self._options.batch_bytes)

    @property
    def is_batch_full(self) -> bool:
        """Whether waiting for more events is of no use."""
        return len(self._queue) >= self._events_most

    def settle(self, batch: Sequence[WaitingEvent], outcome: Outcome) -> float:
        """Act on an answer.

        Returns:
            seconds to wait before the next request.
        """
        match outcome:
            case Answered():
                self._failures = 0
                with self._lock:
                    self._queue.remove(batch)
                self._accepted += outcome.accepted
                self._duplicates += outcome.duplicates
                self._refused += len(outcome.refused)
                for refused in outcome.refused:
                    _call(self._on_refused, refused)
                return 0.0
            case TooLong():
                self._events_most = max(1, len(batch) // 2)
                return 0.0
            case Later(after_s):
                return after_s + self._pause()

    def _pause(self) -> float:
        """From half to all of a time that doubles, so that clients do not come at once."""
        longest = min(self._options.retry_most_s, self._options.retry_s * 2.0 ** min(self._failures, 32))
        self._failures += 1
        return longest * (1 + self._sources.random()) / 2

    def _report_dropped(self) -> None:
        with self._lock:
            count = self._queue.dropped - self._dropped_reported
            self._dropped_reported = self._queue.dropped
        if count:
            _call(self._on_dropped, count)

    def _new_name(self) -> str:
        return f"{self._sources.clock():%Y%m%dT%H%M%S%f}-{self._sources.new_id()}"


def lines_of(batch: Sequence[WaitingEvent]) -> list[str]:
    return [event.line for event in batch]


def _call(callback: Callable[[T], None], value: T) -> None:
    """A caller's fault must not end the sending."""
    try:
        callback(value)
    except Exception:
        _LOG.exception("a callback failed")


def _log_refused(refused: RefusedEvent) -> None:
    # Ids of people do not belong into a log.
    _LOG.warning(
        "event refused: %s", json.dumps({"type": refused.event.get("event_type"), "field": refused.field, "reason": refused.reason})
    )


def _log_dropped(count: int) -> None:
    _LOG.warning("%d events dropped: too many wait", count)
