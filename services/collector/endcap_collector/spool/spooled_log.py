"""A durable log whose lines wait for Kafka, and which takes no more than there is room for."""

from collections.abc import Callable
from pathlib import Path

from endcap.core.clock import Clock
from endcap.core.errors import DependencyUnavailable
from endcap.events.log.durable import DurableLog, observe_nothing
from endcap_collector.spool.backlog import Backlog


class SpooledLog(DurableLog):
    """As `DurableLog`; its files are removed by a forwarder.

    Args:
        folder: where the files go.
        backlog: what waits.
        clock: names the files.
        observe: called with the seconds that each group took.

    Attributes:
        folder: as above.
    """

    def __init__(self, folder: Path, backlog: Backlog, *, clock: Clock, observe: Callable[[float], None] = observe_nothing) -> None:
        super().__init__(folder, clock=clock, observe=observe)
        self.folder = folder
        self._backlog = backlog

    async def write(self, lines: bytes) -> None:
        """Write whole lines, or none to wait for those before; on the disk when this returns.

        Raises:
            DependencyUnavailable: there is no room, or the disk is full or gone; none of them is written, or none that counts.
        """
        if not self._backlog.add(lines):
            raise DependencyUnavailable(
                "the spool is full: Kafka did not confirm what waits",
                field="ENDCAP_COLLECTOR__SPOOL_BYTES_MAX",
                value=self._backlog.room.most,
                fix="look at Kafka, or give the spool more room",
            )
        await self._write_counted(lines)

    async def write_beyond(self, lines: bytes) -> None:
        """As `write`, whether there is room or not: for what takes the place of something that waited.

        Raises:
            DependencyUnavailable: the disk is full or gone.
        """
        self._backlog.add_beyond(len(lines), lines.count(b"\n"))
        await self._write_counted(lines)

    async def is_taken(self) -> bool:
        """Whether there is room and the disk takes what is written."""
        return not self._backlog.room.is_full and await super().is_taken()

    async def _write_counted(self, lines: bytes) -> None:
        try:
            await super().write(lines)
        except DependencyUnavailable:
            self._backlog.remove(len(lines), lines.count(b"\n"))
            raise
