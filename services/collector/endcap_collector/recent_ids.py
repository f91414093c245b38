"""Ids of the newest events with a hash of what each said, by which an event that is sent again is known."""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from hashlib import blake2b
from pathlib import Path
from uuid import UUID

from endcap.events.acceptance.acceptance import content_of
from endcap.events.log.writer import FILE_SUFFIX, NAME_TIME, OPEN_SUFFIX


class Seen(Enum):
    NEW = "new"
    AGAIN = "again"
    OTHER_CONTENT = "other content"


class RecentIds:
    """At least the newest `most` ids, and twice as many at the most.

    Args:
        most: bound on memory, about 200 bytes an id.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._newer: dict[int, int] = {}
        self._older: dict[int, int] = {}

    def __contains__(self, event_id: UUID) -> bool:
        return event_id.int in self._newer or event_id.int in self._older

    def see(self, event_id: UUID, content: bytes) -> Seen:
        """Whether an event came before; a new one is remembered."""
        digest = _digest(content)
        known = self._newer.get(event_id.int, self._older.get(event_id.int))
        if known is not None:
            return Seen.AGAIN if known == digest else Seen.OTHER_CONTENT
        if len(self._newer) >= self._most:
            self._newer, self._older = {}, self._newer
        self._newer[event_id.int] = digest
        return Seen.NEW

    def forget(self, event_ids: Iterable[UUID]) -> None:
        """Events that were not stored after all."""
        for event_id in event_ids:
            self._newer.pop(event_id.int, None)
            self._older.pop(event_id.int, None)

    def remember_log(self, folder: Path, since: datetime) -> int:
        """Remember the newest events of an event log that a collector wrote, and tell how many.

        Args:
            folder: of the log.
            since: files that were begun before are not read, UTC.
        """
        first = f"{since:{NAME_TIME}}"
        names = [file for file in folder.glob("*") if file.name.endswith((FILE_SUFFIX, OPEN_SUFFIX)) and file.name >= first]
        files = sorted(names, reverse=True)
        newest: list[tuple[UUID, bytes]] = []
        for file in files:
            with file.open("rb") as lines:
                found = [part for line in lines if line.endswith(b"\n") and (part := content_of(line))]
            newest = found[-(self._most - len(newest)) :] + newest
            if len(newest) >= self._most:
                break
        for event_id, content in newest:
            self.see(event_id, content)
        return len(newest)


def _digest(content: bytes) -> int:
    return int.from_bytes(blake2b(content, digest_size=8).digest())
