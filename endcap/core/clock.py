"""Clocks that are passed in, so that replayed history and tests see the time they need."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the present instant, always aware and in UTC."""


def system_clock() -> datetime:
    return datetime.now(UTC)


def replay_clock(replay_at: datetime) -> Clock:
    """A clock that stands at one instant, for answering as of a moment in recorded history."""
    instant = replay_at.astimezone(UTC)
    return lambda: instant
