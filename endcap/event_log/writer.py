"""The local append-only event log: requests hand over, one thread writes."""

import os
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from endcap.clock import Clock, system_clock
from endcap.event_log.batches import Batch
from endcap.log import get_logger

FILE_SUFFIX = ".jsonl"
"""A finished file."""

OPEN_SUFFIX = ".jsonl.open"
"""A file that is being written, or whose writer was killed."""

_BATCHES_AT_ONCE = 16

_log = get_logger("event_log")


@dataclass(frozen=True)
class Rotation:
    """When the log goes on in a new file, and how long events wait for the disk.

    Attributes:
        file_bytes: size at which a file is full.
        file_seconds: age at which a file is closed.
        flush_seconds: longest time an event stays in memory.
        complain_seconds: shortest time between two log lines about trouble.
    """

    file_bytes: int = 64 * 1024 * 1024
    file_seconds: float = 3_600
    flush_seconds: float = 0.25
    complain_seconds: float = 60


def count_nothing(events: int) -> None:
    """For a log whose losses nobody counts."""


class EventLog:
    """JSON lines under one folder, a contract `Event` each, in files named by their first moment.

    `emit` costs a request a microsecond: it never waits and never fails. What does not fit into the queue or onto the disk is dropped,
    counted and, once in a while, logged. A file gets its final name when it is finished and holds whole lines only; of one that is still
    being written, a reader leaves out an unended last line, so nobody sees half an event. A crash loses what was not flushed.

    Attributes:
        dropped: events lost so far.
    """

    def __init__(
        self,
        folder: Path,
        *,
        queue_batches: int = 10_000,
        rotation: Rotation | None = None,
        clock: Clock = system_clock,
        count_dropped: Callable[[int], None] = count_nothing,
    ) -> None:
        """Start the writing thread; the folder is made when there is something to write.

        Args:
            folder: where the files go; several processes may share it.
            queue_batches: batches that may wait, the bound on memory.
            rotation: None for the defaults.
            clock: names the files.
            count_dropped: is told how many events were lost, from any thread.
        """
        self.dropped = 0
        self._queue: deque[Batch] = deque()
        self._queue_batches = queue_batches
        self._rotation = rotation or Rotation()
        self._file = _LogFile(folder, clock, self._rotation)
        self._count_dropped = count_dropped
        self._dropping = threading.Lock()
        self._next_complaint = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="event-log", daemon=True)
        self._thread.start()

    def emit(self, batch: Batch) -> None:
        """Hand over a batch; it is on disk within `flush_seconds`."""
        if self._closing.is_set() or len(self._queue) >= self._queue_batches:
            self._drop(len(batch), "the queue is full or closed")
        else:
            self._queue.append(batch)

    def waiting(self) -> int:
        """Batches that are not on disk yet."""
        return len(self._queue)

    def close(self, deadline_seconds: float = 5.0) -> None:
        """Write what waits and stop; what is not on disk by the deadline is dropped."""
        self._closing.set()
        self._thread.join(deadline_seconds)
        if self._thread.is_alive():
            self._drop(sum(len(batch) for batch in tuple(self._queue)), "the disk was too slow at the end")

    def _run(self) -> None:
        while not self._closing.wait(self._rotation.flush_seconds):
            self._flush()
        self._flush()
        self._file.close()

    def _flush(self) -> None:
        while self._queue:
            # Few at once: between two writes the requests' threads get their turn.
            batches = [self._queue.popleft() for _ in range(min(len(self._queue), _BATCHES_AT_ONCE))]
            lines, events = [], 0
            for batch in batches:
                try:
                    lines.append(batch.json_lines())
                    events += len(batch)
                except Exception as error:
                    self._drop(len(batch), f"not writable as events: {error}")
            try:
                self._file.append("".join(lines).encode())
            except OSError as error:
                self._drop(events, f"the disk refused: {error.strerror}")

    def _drop(self, events: int, reason: str) -> None:
        with self._dropping:
            self.dropped += events
            complain = events > 0 and monotonic() >= self._next_complaint
            if complain:
                self._next_complaint = monotonic() + self._rotation.complain_seconds
        self._count_dropped(events)
        if complain:
            # A log that cannot be written is no reason for a request to fail.
            with suppress(OSError, ValueError):
                _log.warning("events dropped", reason=reason, events=events, dropped_so_far=self.dropped)


class _LogFile:
    """The file that is written at present."""

    def __init__(self, folder: Path, clock: Clock, rotation: Rotation) -> None:
        self._folder, self._clock, self._rotation = folder, clock, rotation
        self._descriptor: int | None = None
        self._path = folder
        self._bytes = 0
        self._full_at = 0.0
        self._serial = 0

    def append(self, content: bytes) -> None:
        """Append whole lines.

        Raises:
            OSError: the disk is full or gone; nothing of `content` stays, and the next one goes to a new file.
        """
        if not content:
            return
        if self._bytes >= self._rotation.file_bytes or monotonic() >= self._full_at:
            self.close()
        descriptor = self._open() if self._descriptor is None else self._descriptor
        left = memoryview(content)
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError:
            with suppress(OSError):
                os.ftruncate(descriptor, self._bytes)
            self.close()
            raise
        self._bytes += len(content)

    def close(self) -> None:
        """Finish the file; one that cannot get its final name keeps the one of an open file."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with suppress(OSError):
                os.close(descriptor)
                self._path.rename(self._path.with_name(self._path.name.removesuffix(OPEN_SUFFIX) + FILE_SUFFIX))

    def _open(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._serial += 1
        name = f"{self._clock():%Y%m%dT%H%M%S}-{os.getpid()}-{id(self):x}-{self._serial:06}{OPEN_SUFFIX}"
        self._path = self._folder / name
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        self._bytes, self._full_at = 0, monotonic() + self._rotation.file_seconds
        return self._descriptor
