"""The local append-only event log."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from endcap.core.clock import Clock, system_clock
from endcap.core.errors import DependencyUnavailable
from endcap.core.log import get_logger
from endcap.events.log.batches import Batch
from endcap.events.log.losses import count_nothing
from endcap.events.log.queued import QUEUE_BATCHES, QueuedEventLog

FILE_SUFFIX = ".jsonl"
"""A finished file."""

OPEN_SUFFIX = ".jsonl.open"
"""A file that is being written, or whose writer was killed."""


NAME_TIME = "%Y%m%dT%H%M%S"
"""How a file's name begins: when it was begun, UTC."""


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


class EventLog(QueuedEventLog):
    """JSON lines under one folder, a contract `Event` each, in files named by their first moment.

    A file gets its final name when it is finished and holds whole lines only; of one that is still being written, a reader leaves out an
    unended last line, so nobody sees half an event. A crash loses what was not flushed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        queue_batches: int = QUEUE_BATCHES,
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
            count_dropped: called with the number of lost events, from any thread.
        """
        rotation = rotation or Rotation()
        super().__init__(
            queue_batches=queue_batches,
            flush_seconds=rotation.flush_seconds,
            complain_seconds=rotation.complain_seconds,
            count_dropped=count_dropped,
        )
        self._file = LogFile(folder, clock, rotation)
        self._thread.start()

    def _write(self, batches: Sequence[Batch]) -> None:
        written = [(lines, len(batch)) for batch in batches if (lines := self._made(batch, _lines))]
        try:
            self._file.append("".join(lines for lines, _ in written).encode())
        except OSError as error:
            self._losses.add(sum(events for _, events in written), f"the disk refused: {error.strerror}")

    def _finish(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            get_logger("event_log").error("the last events may be lost", reason=f"the disk refused: {error.strerror}")


def _lines(batch: Batch) -> str:
    return batch.json_lines()


@dataclass(frozen=True, slots=True)
class SyncedFile:
    """A file that is being written, and how much of it is safe.

    Attributes:
        name: without its suffix.
        bytes: of it that are on the disk, whole lines.
    """

    name: str
    bytes: int


class LogFile:
    """The file that is written at present; for one thread.

    Attributes:
        synced: that file, for any thread; None while there is none. It is known before the file is there, and no file is written
            that is not it.
    """

    def __init__(self, folder: Path, clock: Clock, rotation: Rotation) -> None:
        self.synced: SyncedFile | None = None
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
        if content:
            self._append(content)

    def _append(self, content: bytes) -> int:
        """The descriptor of the file that has it now."""
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
        return descriptor

    def append_synced(self, content: bytes) -> None:
        """Append whole lines and wait until they are on the disk; a file's first ones with its name.

        Raises:
            OSError: the disk is full or gone; nothing of `content` stays where the disk still lets it go; the next one goes to a new file.
        """
        if not content:
            return
        descriptor = self._append(content)
        before = self._bytes - len(content)
        try:
            os.fsync(descriptor)
            if before == 0:
                _sync_folder(self._folder)
                _sync_folder(self._folder.parent)
        except OSError:
            # What a disk holds after it refused once is not known: no later line may stand behind it.
            with suppress(OSError):
                os.ftruncate(descriptor, before)
            self._bytes = before
            with suppress(OSError):
                self.close()
            raise
        self.synced = SyncedFile(self._path.name.removesuffix(OPEN_SUFFIX), self._bytes)

    def close(self) -> None:
        """Finish the file; one that cannot get its final name keeps the one of an open file, and one that holds nothing goes.

        Raises:
            OSError: the disk refused what was written before, as disks of a network do late.
        """
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            try:
                os.close(descriptor)
                with suppress(OSError):
                    self._finish()
            finally:
                self.synced = None

    def _finish(self) -> None:
        if self._bytes == 0:
            self._path.unlink()
        else:
            self._path.rename(self._path.with_name(self._path.name.removesuffix(OPEN_SUFFIX) + FILE_SUFFIX))

    def _open(self) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._serial += 1
        name = f"{self._clock():{NAME_TIME}}-{os.getpid()}-{id(self):x}-{self._serial:06}{OPEN_SUFFIX}"
        self._path = self._folder / name
        self.synced = SyncedFile(name.removesuffix(OPEN_SUFFIX), 0)
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        self._bytes, self._full_at = 0, monotonic() + self._rotation.file_seconds
        return self._descriptor


def disk_refusal(folder: Path, error: OSError) -> DependencyUnavailable:
    """What whoever waits for the disk is told.

    Args:
        folder: of the log.
        error: the disk's.
    """
    return DependencyUnavailable(f"the disk refused: {error.strerror}", field=str(folder), fix="free or mount it")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
