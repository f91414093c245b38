"""A folder that one process at a time may use."""

import fcntl
import os
from pathlib import Path

from endcap.core.errors import DependencyUnavailable


def locked_folder(folder: Path, otherwise: str) -> int:
    """Make a folder and lock it; the descriptor holds the lock until it is closed, or its process ends in whatever way.

    Args:
        folder: to be locked.
        otherwise: what to say when another process has it.

    Raises:
        DependencyUnavailable: another process has it, or the disk refused.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise DependencyUnavailable(f"the disk refused: {error.strerror}", field=str(folder), fix="free or mount it") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise DependencyUnavailable(otherwise, field=str(folder), fix="stop it first") from error
    return descriptor
