"""The keys of a file that may change while the collector runs."""

from collections.abc import Callable
from pathlib import Path

from endcap.core.errors import InvalidInput
from endcap.core.log import get_logger
from endcap_collector.key_file import KeyRing, read_key_file

_LOOK_SECONDS = 1.0


class WatchedKeys:
    """Looks at the file once a second at most, when a request needs it. A file that cannot be read leaves the earlier keys in force.

    Args:
        path: of the file.
        timer: monotonic seconds.
        show: called with whether the file on disk is in force, at each change.

    Raises:
        InvalidInput: the file cannot be read at the start.
    """

    def __init__(self, path: Path, timer: Callable[[], float], show: Callable[[bool], None]) -> None:
        self._path = path
        self._timer = timer
        self._show = show
        self._seen = _state_of(path)
        self._ring = read_key_file(path)
        self._next_look = timer() + _LOOK_SECONDS
        show(True)

    def ring(self) -> KeyRing:
        """The keys that hold now."""
        if self._timer() >= self._next_look:
            self._next_look = self._timer() + _LOOK_SECONDS
            seen = _state_of(self._path)
            if seen != self._seen:
                self._seen = seen
                self._read()
        return self._ring

    def _read(self) -> None:
        log = get_logger("collector")
        try:
            self._ring = read_key_file(self._path)
        except InvalidInput as error:
            self._show(False)
            log.error("keys not read; the earlier ones stay", reason=str(error))
        else:
            self._show(True)
            log.info("keys read", keys=len(self._ring.by_hash))


def _state_of(path: Path) -> tuple[int, int, int] | None:
    """What changes with the file; a mounted secret is another file each time."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
