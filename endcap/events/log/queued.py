"""What every event log has in front: requests hand over to a bounded queue, one thread takes from it."""

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import TypeVar

from endcap.events.log.batches import Batch
from endcap.events.log.losses import Losses

QUEUE_BATCHES = 10_000
"""Batches that wait at most unless told otherwise."""

Made = TypeVar("Made")

_BATCHES_AT_ONCE = 16
_SHARE_FOR_WRITING = 0.8


class QueuedEventLog(ABC):
    """An event log that never makes a request wait or fail.

    `emit` costs a request a microsecond. What does not fit into the queue or cannot be written is dropped, counted and, once in a while,
    logged.
    """

    def __init__(self, *, queue_batches: int, flush_seconds: float, complain_seconds: float, count_dropped: Callable[[int], None]) -> None:
        """Make the queue; the log itself starts the thread when it is ready to write.

        Args:
            queue_batches: batches that may wait, the bound on memory.
            flush_seconds: longest time the thread sleeps.
            complain_seconds: shortest time between two log lines about losses.
            count_dropped: called with the number of lost events, from any thread.
        """
        self._queue: deque[Batch] = deque()
        self._queue_batches = queue_batches
        self._flush_seconds = flush_seconds
        self._losses = Losses(complain_seconds, count_dropped)
        self._closing = threading.Event()
        self._give_up_at = float("inf")
        self._thread = threading.Thread(target=self._run, name="event-log", daemon=True)

    @property
    def dropped(self) -> int:
        """Events lost so far."""
        return self._losses.events

    def emit(self, batch: Batch) -> None:
        """Hand over a batch; it is taken up within `flush_seconds`."""
        if self._closing.is_set() or len(self._queue) >= self._queue_batches:
            self._losses.add(len(batch), self._why_full())
        else:
            self._queue.append(batch)

    def waiting(self) -> int:
        """Batches that are not safe yet."""
        return len(self._queue)

    def close(self, deadline_seconds: float = 5.0) -> None:
        """Write what waits and stop; what is not safe by the deadline is dropped."""
        self._give_up_at = monotonic() + _SHARE_FOR_WRITING * deadline_seconds
        self._closing.set()
        self._thread.join(deadline_seconds)
        left = 0
        while self._queue:
            left += len(self._queue.popleft())
        if left:
            self._losses.add(left, "there was no time left at the end")

    def _why_full(self) -> str:
        return "the queue is full or closed"

    def _is_over(self) -> bool:
        """Whether the thread has to end now, written or not: the rest of the deadline is for counting."""
        return monotonic() >= self._give_up_at

    def _run(self) -> None:
        while not self._closing.wait(self._flush_seconds):
            self._flush()
        self._flush()
        self._finish()

    def _flush(self) -> None:
        while not self._is_over() and (batches := self._taken()):
            self._write(batches)

    def _taken(self) -> Sequence[Batch]:
        """Few at once: between two writes the requests' threads get their turn."""
        batches: list[Batch] = []
        with suppress(IndexError):
            while len(batches) < _BATCHES_AT_ONCE:
                batches.append(self._queue.popleft())
        return batches

    def _made(self, batch: Batch, make: Callable[[Batch], Made]) -> Made | None:
        """The batch as the log writes it; None, and a loss, if that cannot be made."""
        try:
            return make(batch)
        except Exception as error:
            self._losses.add(len(batch), f"not writable as events: {error}")
            return None

    @abstractmethod
    def _write(self, batches: Sequence[Batch]) -> None:
        """Write some batches, in the log's thread; whatever cannot be written is counted."""

    @abstractmethod
    def _finish(self) -> None:
        """Make safe what was written, in the log's thread; nothing comes after."""
