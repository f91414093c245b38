"""Events that an event log had to give up: counted always, named in a log line once in a while."""

import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from endcap.core.log import get_logger

_log = get_logger("event_log")


def count_nothing(events: int) -> None:
    """For a log whose losses nobody counts."""


class Losses:
    """How many events were given up.

    Attributes:
        events: the number so far.
    """

    def __init__(self, complain_seconds: float, count: Callable[[int], None]) -> None:
        """Nothing is lost yet.

        Args:
            complain_seconds: shortest time between two log lines.
            count: called with the number of lost events, from any thread.
        """
        self.events = 0
        self._complain_seconds = complain_seconds
        self._count = count
        self._adding = threading.Lock()
        self._next_complaint = 0.0

    def add(self, events: int, reason: str) -> None:
        """Events are lost; never fails."""
        with self._adding:
            self.events += events
            complain = events > 0 and monotonic() >= self._next_complaint
            if complain:
                self._next_complaint = monotonic() + self._complain_seconds
        self._count(events)
        if complain:
            # A log that cannot be written is no reason for a request to fail.
            with suppress(OSError, ValueError):
                _log.warning("events dropped", reason=reason, events=events, dropped_so_far=self.events)
