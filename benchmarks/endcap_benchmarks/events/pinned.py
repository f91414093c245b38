"""Which core a process runs on."""

import os
import shutil
from collections.abc import Sequence


def on_core(place: int) -> Sequence[str]:
    """A command's beginning that keeps it on one core; empty where that cannot be done.

    Args:
        place: of the core among those that this process may use, from 0.
    """
    cores = sorted(os.sched_getaffinity(0))
    program = shutil.which("taskset")
    return [program, "--cpu-list", str(cores[place])] if program and place < len(cores) else []
