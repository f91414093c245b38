"""Events that are not answered yet: in memory, and in a folder where they outlive the process."""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from endcap_client.errors import InvalidSetting

SENT_AT_BYTES = 48
"""What `sent_at` and the line's end add to a line in a request."""

_LOG = logging.getLogger("endcap_client")
_SUFFIX, _ASIDE = ".ndjson", ".aside"


@dataclass(slots=True)
class _File:
    """A file of the folder, removed with the last of its events."""

    path: Path
    left: int


@dataclass(frozen=True, slots=True)
class WaitingEvent:
    """One event of the queue.

    Attributes:
        number: its place in the queue.
        line: the event as JSON.
        size: bytes that it takes of a request.
    """

    number: int
    line: str
    size: int
    file: _File | None


class EventQueue:
    """The oldest event first; events that came in one call share a file, which is whole or not there. For one thread at a time.

    Several processes may share a folder: one that starts sends what it finds, and what two send counts once. A file is safe from the
    process's end, not from a power cut.

    Args:
        folder: made when it is not there; None to keep events in memory alone.
        events_max: beyond that the oldest events are dropped.
        bytes_max: the same.
        new_name: names of files, rising.

    Raises:
        InvalidSetting: the folder cannot be used.
    """

    def __init__(self, folder: Path | None, events_max: int, bytes_max: int, new_name: Callable[[], str]) -> None:
        self._folder = folder
        self._events_max, self._bytes_max = events_max, bytes_max
        self._new_name = new_name
        self._waiting: dict[int, WaitingEvent] = {}
        self._bytes = 0
        self._next = 0
        self.dropped = 0
        if folder is not None:
            self._adopt(folder)

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, lines: Sequence[str]) -> None:
        """Add events; when this returns they are in the folder.

        Raises:
            OSError: the folder takes none; nothing was added.
        """
        if lines:
            self._hold(lines, None if self._folder is None else self._written(self._folder, lines))

    def batch(self, events_most: int, bytes_most: int) -> list[WaitingEvent]:
        """The oldest events that fit into one request, at least one where any waits."""
        taken: list[WaitingEvent] = []
        left = bytes_most
        for event in self._waiting.values():
            left -= event.size
            if len(taken) == events_most or (taken and left < 0):
                break
            taken.append(event)
        return taken

    def remove(self, events: Iterable[WaitingEvent]) -> None:
        """Events that were answered; those that were dropped meanwhile are passed over."""
        for event in events:
            if self._waiting.pop(event.number, None) is None:
                continue
            self._bytes -= event.size
            if event.file is not None:
                event.file.left -= 1
                if not event.file.left:
                    _remove(event.file.path)

    def _written(self, folder: Path, lines: Sequence[str]) -> _File:
        path = folder / (self._new_name() + _SUFFIX)
        aside = path.with_suffix(_ASIDE)
        aside.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
        aside.replace(path)
        return _File(path, len(lines))

    def _hold(self, lines: Sequence[str], file: _File | None) -> None:
        for line in lines:
            event = WaitingEvent(self._next, line, len(line.encode()) + SENT_AT_BYTES, file)
            self._waiting[event.number] = event
            self._bytes += event.size
            self._next += 1
        while len(self._waiting) > self._events_max or self._bytes > self._bytes_max:
            self.remove([next(iter(self._waiting.values()))])
            self.dropped += 1

    def _adopt(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            texts = {path: path.read_text(encoding="utf-8") for path in sorted(folder.glob(f"*{_SUFFIX}"))}
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidSetting(f"cannot be used ({error})", field="folder", value=str(folder), fix="name a folder of its own") from error
        for path, text in texts.items():
            # Not splitlines, which also breaks at characters that JSON leaves in a text.
            lines = [line for line in text.split("\n") if _is_event(line)]
            if lines:
                self._hold(lines, _File(path, len(lines)))
            else:
                _remove(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        # The next client sends its events again, and they count once.
        _LOG.warning("a file of sent events stays: %s", error)


def _is_event(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
