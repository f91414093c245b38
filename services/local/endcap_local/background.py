"""Runs one command behind all others: `python -m endcap_local.background COMMAND...`.

For parts that have seconds where requests have milliseconds: on a machine that they share, a request gets its processor first.
"""

import os
import sys
from pathlib import Path

NICENESS = 5
"""A third of what a part in front gets where both want all of it (each step is a factor of 1.25)."""

AUTOGROUP = Path("/proc/self/autogroup")
"""Linux schedules sessions before processes: the niceness of a process says nothing to those of other sessions, that of its group does."""


def step_behind(autogroup: Path = AUTOGROUP) -> None:
    """Lower the priority of this process and of all that it starts.

    Args:
        autogroup: where the kernel takes the session's niceness; nothing is written where it groups no sessions.
    """
    os.nice(NICENESS)
    try:
        autogroup.write_text(str(NICENESS), encoding="utf-8")
    except OSError:
        return


def main() -> None:
    """Become the command."""
    step_behind()
    os.execvp(sys.argv[1], sys.argv[1:])  # noqa: S606 - the arguments are the command's own


if __name__ == "__main__":
    main()
