"""One stream at a time writes a home folder, whichever runs it: the next one waits for the one that goes."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from endcap.core.errors import DependencyUnavailable
from endcap.core.folder_lock import locked_folder
from endcap.core.log import get_logger

LOOK_EVERY_SECONDS = 1.0


@contextmanager
def sole_writer(folder: Path, stop: threading.Event) -> Iterator[bool]:
    """Wait until no other process writes the folder, and keep others from it for as long as the block lasts.

    Args:
        folder: of outcomes, which every runner of the stream writes.
        stop: ends the waiting.

    Yields:
        Whether the folder is this process's; if not, `stop` was set before.
    """
    said, lock = "", None
    while lock is None and not stop.is_set():
        try:
            lock = locked_folder(folder, "another stream writes here")
        except DependencyUnavailable as error:
            if str(error) != said:
                get_logger("stream").warning("waits until the stream before has ended", reason=str(error))
            said = str(error)
            stop.wait(LOOK_EVERY_SECONDS)
    try:
        yield lock is not None
    finally:
        if lock is not None:
            os.close(lock)
