"""How long one thread of a process keeps the interpreter from the others."""

import sys

SWITCH_INTERVAL_S = 0.0005
"""A tenth of Python's default. A thread comes back from each read of a store, each sync and each call of a library by waiting for the
interpreter; beside a busy event loop it would wait 5 ms every time, as often as it reads."""


def take_short_turns() -> None:
    """For processes that answer within milliseconds and have threads beside their event loop; call once, at the start."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
