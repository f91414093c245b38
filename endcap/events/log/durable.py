"""Lines that are on the disk before whoever wrote them goes on; all who wait at the same time share one sync."""

import asyncio
import os
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

from endcap.core.clock import Clock, system_clock
from endcap.events.log.writer import LogFile, Rotation, SyncedFile, disk_refusal

_TRIED_BYTES = 1024 * 1024


def observe_nothing(seconds: float) -> None:
    """For a log whose syncs nobody measures."""


class DurableLog:
    """The files of an event log, written by tasks of one event loop.

    While one group is synced in a thread, the next gathers; an order is kept: when a write is over, so is every one that began before it.
    """

    def __init__(
        self,
        folder: Path,
        *,
        rotation: Rotation | None = None,
        clock: Clock = system_clock,
        observe: Callable[[float], None] = observe_nothing,
    ) -> None:
        """Nothing is made before there is something to write.

        Args:
            folder: where the files go; several processes may share it.
            rotation: None for the defaults.
            clock: names the files.
            observe: called with the seconds that each group took.
        """
        self._folder = folder
        self._file = LogFile(folder, clock, rotation or Rotation())
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="durable-log")
        self._observe = observe
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self.is_refused = False
        """Whether the disk refused the newest group, and was not tried since."""

    async def write(self, lines: bytes) -> None:
        """Write whole lines, or none to wait for those before; on the disk when this returns.

        Raises:
            DependencyUnavailable: the disk is full or gone; none of them is written, or none that counts.
        """
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((lines, written))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_waiting())
        await written

    def synced(self) -> SyncedFile | None:
        """The file that is written at present and what of it is on the disk, for any thread; other files are not written any more."""
        return self._file.synced

    async def is_taken(self) -> bool:
        """Whether the disk takes what is written; after a refusal it is tried."""
        if self.is_refused:
            try:
                await asyncio.to_thread(_try_disk, self._folder)
            except OSError:
                return False
            self.is_refused = False
        return True

    async def close(self) -> None:
        """Write what waits, and finish the file."""
        if self._writing is not None:
            await self._writing
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._file.close)
        except OSError as error:
            raise disk_refusal(self._folder, error) from error
        finally:
            self._thread.shutdown(wait=False)

    async def _write_waiting(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            group, self._waiting = self._waiting, []
            began = perf_counter()
            try:
                await loop.run_in_executor(self._thread, self._file.append_synced, b"".join(lines for lines, _ in group))
            except OSError as error:
                self.is_refused = True
                for _, written in group:
                    if not written.done():
                        written.set_exception(disk_refusal(self._folder, error))
            else:
                self.is_refused = False
                self._observe(perf_counter() - began)
                for _, written in group:
                    if not written.done():
                        written.set_result(None)
        self._writing = None


def _try_disk(folder: Path) -> None:
    """Write as much as a request of many events would, and remove it again."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(bytes(_TRIED_BYTES))
        file.flush()
        os.fsync(file.fileno())
