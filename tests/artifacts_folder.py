"""What all workers of a session share: a folder in which each artifact is made once."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

FOLDER = "ENDCAP_TEST_ARTIFACTS"
"""Variable with the folder, set by the conftest for a session and its workers."""


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """The artifact of a name; workers that ask while it is made wait for it.

    Args:
        make: writes it to the path it is given.
    """
    made = Path(os.environ[FOLDER]) / name
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            make(made)
    return made
