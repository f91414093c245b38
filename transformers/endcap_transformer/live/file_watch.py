"""Files that other processes replace while the transformer serves: whether one changed, and looking at it for ever."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from pathlib import Path

from polars.exceptions import PanicException

from endcap.core.errors import EndcapError
from endcap.core.log import get_logger

LOOK_SECONDS = 1.0
PAUSE_SECONDS = 0.0005
"""Between two pieces of work: long enough for the thread of the requests to take the interpreter back, which it cannot ask for sooner
than after five milliseconds."""
LOOKS_PASSED_MAX = 30
UNUSABLE: tuple[type[BaseException], ...] = (EndcapError, PanicException)
"""What reading a file raises that no second reading would mend. Polars panics over some damaged files, and a panic is no `Exception`."""
ANYTHING: tuple[type[BaseException], ...] = (Exception, PanicException)
"""What taking up a file or a bundle raises at all."""


class BackOff:
    """Counts turns, not seconds: each caller has a rhythm of its own.

    Args:
        most: turns that pass at most between two tries.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._tried: Hashable = None
        self._in_a_row = 0
        self._to_pass = 0

    def is_due(self, tried: Hashable) -> bool:
        """Whether to try in this turn.

        Args:
            tried: what is tried; another value than the one that failed is due at once.
        """
        if not self._in_a_row or tried != self._tried:
            return True
        self._to_pass -= 1
        return self._to_pass < 0

    def failed(self, tried: Hashable) -> int:
        """Let more turns pass than before.

        Returns:
            How often the same failed in a row.
        """
        self._in_a_row = self._in_a_row + 1 if tried == self._tried else 1
        self._tried = tried
        self._to_pass = min(2**self._in_a_row - 1, self._most)
        return self._in_a_row

    def succeeded(self) -> None:
        """Begin anew."""
        self._in_a_row, self._tried = 0, None


Identity = tuple[int, int, int]


def identity(path: Path) -> Identity | None:
    """Which file it is, another one after each change; None when there is none.

    One that cannot be looked at counts as a file of its own, so that whoever takes it up finds out why.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return -(error.errno or 1), 0, 0
    return found.st_ino, found.st_mtime_ns, found.st_size


def yield_to_requests() -> None:
    """Called between two pieces of work in a thread beside the requests'."""
    time.sleep(PAUSE_SECONDS)


async def watch_file(path: Path, look: Callable[[], Awaitable[object]], look_s: float = LOOK_SECONDS) -> None:
    """Look at a file for ever; runs until it is cancelled.

    Whatever a look raises is logged, and the requests and the next look go on. The same file is then looked at less and less often,
    another one at once.

    Args:
        path: the file.
        look: takes the file up if it changed; raises when that failed and may go well later.
        look_s: seconds between two looks.
    """
    log, back_off = get_logger("transformer"), BackOff(LOOKS_PASSED_MAX)
    while True:
        found = await asyncio.to_thread(identity, path)
        if back_off.is_due(found):
            try:
                await look()
                back_off.succeeded()
            except ANYTHING as error:
                back_off.failed(found)
                log.error("file could not be taken up; tried again later", file=str(path), kind=type(error).__name__, cause=str(error))
        await asyncio.sleep(look_s)
