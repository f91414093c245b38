"""The files of a log as they are read for Kafka: whole lines, up to what is on the disk."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from endcap.events.log.writer import FILE_SUFFIX, OPEN_SUFFIX, SyncedFile

_COUNTED_BYTES = 1024 * 1024
_CAME = re.compile(rb'"received_at":"([^"\\]+)"')


@dataclass(frozen=True, slots=True)
class Part:
    """Whole lines of one file.

    Attributes:
        name: of the file, without its suffix.
        begin: its first byte in the file.
        lines: [n], without their ends.
    """

    name: str
    begin: int
    lines: list[bytes]

    def end_of(self, count: int) -> int:
        """The byte in the file after the first `count` lines."""
        return self.begin + sum(map(len, self.lines[:count])) + count

    @property
    def came_at(self) -> datetime | None:
        """When the first line came in, UTC; None where it does not say."""
        found = _CAME.search(self.lines[0])
        try:
            return datetime.fromisoformat(found[1].decode()) if found else None
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of a file is not confirmed: bytes of whole lines, and how many of these."""

    bytes: int
    lines: int


class SpoolFiles:
    """A folder of log files.

    Args:
        folder: that one collector writes to.
        synced: the file that it writes at present; of any other all is there that ever will be.
    """

    def __init__(self, folder: Path, synced: Callable[[], SyncedFile | None]) -> None:
        self._folder = folder
        self._synced = synced
        self._paths: dict[str, Path] = {}
        self._current: SyncedFile | None = None

    def look(self) -> list[str]:
        """Names of the files that are there now, without their suffixes; none before something was written.

        Raises:
            OSError: the folder cannot be read.
        """
        self._paths = dict(_named(self._folder))
        # After the names: a file that is written from now on is not among them.
        self._current = self._synced()
        return list(self._paths)

    def size(self, name: str) -> int:
        """Bytes of a file that may be read."""
        if self._current is not None and name == self._current.name:
            return self._current.bytes
        return self._status_size(name)

    def read(self, name: str, begin: int, end: int, most: int) -> Part | None:
        """Whole lines from `begin` on, before `end`; one at least, though it may be longer than `most` bytes. None when none is whole."""
        with self._path(name).open("rb") as file:
            file.seek(begin)
            content = file.read(min(most, end - begin))
            while b"\n" not in content and begin + len(content) < end:
                content += file.read(min(most, end - begin - len(content)))
        whole = content[: content.rfind(b"\n") + 1]
        return Part(name, begin, whole[:-1].split(b"\n")) if whole else None

    def waiting(self, name: str, confirmed: int) -> Waiting:
        """What of a file comes after a byte."""
        end = position = confirmed
        lines = 0
        with self._path(name).open("rb") as file:
            file.seek(confirmed)
            while content := file.read(_COUNTED_BYTES):
                lines += content.count(b"\n")
                end = position + last + 1 if (last := content.rfind(b"\n")) >= 0 else end
                position += len(content)
        return Waiting(end - confirmed, lines)

    def is_written(self, name: str) -> bool:
        """Whether lines still come into a file."""
        return self._current is not None and name == self._current.name

    def is_finished(self, name: str) -> bool:
        """Whether nobody ever writes to a file again: it has its final name."""
        return self._paths[name].name.endswith(FILE_SUFFIX)

    def written_at(self, name: str) -> float:
        """When a file got its last line, in seconds since 1970."""
        return self._path(name).stat().st_mtime

    def remove(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def _status_size(self, name: str) -> int:
        return self._path(name).stat().st_size

    def _path(self, name: str) -> Path:
        """Where it is now: its writer may have finished it since the look."""
        path = self._paths[name]
        return path if path.exists() else path.with_name(name + FILE_SUFFIX)


def _named(folder: Path) -> Iterator[tuple[str, Path]]:
    try:
        with os.scandir(folder) as found:
            names = [entry.name for entry in found]
    except FileNotFoundError:
        return
    for name in names:
        for suffix in (OPEN_SUFFIX, FILE_SUFFIX):
            if name.endswith(suffix):
                yield name.removesuffix(suffix), folder / name
                break
