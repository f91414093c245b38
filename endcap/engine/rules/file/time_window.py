"""When a rule holds: from an instant to another, on weekdays, between hours, in a time zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
"""Moments are moved into this range, since no time zone can be applied at the ends of the calendar."""


@dataclass(frozen=True)
class TimeWindow:
    """Every part that is given must hold.

    Attributes:
        zone: the clock on the wall that `weekdays` and `hours` are read from.
        start: first instant, aware.
        end: first instant after the window, aware.
        weekdays: Monday is 0; empty for all.
        hours: minutes after midnight, from and up to but without the second; past midnight when the second is not later.
            A window past midnight belongs to the day on which it starts.
    """

    zone: tzinfo = UTC
    start: datetime | None = None
    end: datetime | None = None
    weekdays: frozenset[int] = frozenset()
    hours: tuple[int, int] | None = None

    def holds(self, now: datetime) -> bool:
        """Whether the window is open at `now` (aware)."""
        if (self.start is not None and now < self.start) or (self.end is not None and now >= self.end):
            return False
        if self.hours is None and not self.weekdays:
            return True
        local = min(max(now, EARLIEST), LATEST).astimezone(self.zone)
        if self.hours is None:
            return self._on(local.weekday())
        minute, (first, last) = local.hour * 60 + local.minute, self.hours
        if first < last:
            return first <= minute < last and self._on(local.weekday())
        if minute >= first:
            return self._on(local.weekday())
        return minute < last and self._on((local.weekday() - 1) % 7)

    def _on(self, weekday: int) -> bool:
        return not self.weekdays or weekday in self.weekdays
