"""What of one log waits for Kafka."""

import threading
from datetime import datetime

from endcap_collector.spool.room import Room


class Backlog:
    """Counts what waits; for any thread.

    Args:
        room: shared with the other logs.

    Attributes:
        bytes: that wait.
        lines: that wait, an event each.
        oldest_at: when the first of them came, UTC; None while that is not known, or nothing waits.
    """

    def __init__(self, room: Room) -> None:
        self._room = room
        self._changing = threading.Lock()
        self.bytes = 0
        self.lines = 0
        self.oldest_at: datetime | None = None

    @property
    def room(self) -> Room:
        return self._room

    def add(self, content: bytes) -> bool:
        """Whole lines wait from now on; False, and they do not, where there is no room."""
        if not self._room.take(len(content)):
            return False
        self._count(len(content), content.count(b"\n"))
        return True

    def add_beyond(self, bytes_: int, lines: int) -> None:
        """They wait, whether there is room or not."""
        self._room.take_beyond(bytes_)
        self._count(bytes_, lines)

    def remove(self, bytes_: int, lines: int) -> None:
        """They do not wait any more."""
        with self._changing:
            # A line that the disk refused may lie there all the same, and is confirmed though it was given back.
            bytes_, lines = min(bytes_, self.bytes), min(lines, self.lines)
            self.bytes -= bytes_
            self.lines -= lines
        self._room.give_back(bytes_)

    def oldest_seconds(self, now: datetime) -> float:
        """How long the first of what waits has waited; 0 while nothing does."""
        oldest = self.oldest_at
        return max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0

    def _count(self, bytes_: int, lines: int) -> None:
        with self._changing:
            self.bytes += bytes_
            self.lines += lines
