"""When an event happened, by the server's clock: a sender's own is corrected, and bound."""

from dataclasses import dataclass
from datetime import datetime, timedelta

AHEAD_MAX = timedelta(minutes=5)
"""An event this far ahead is of now: clocks differ so much without anything being wrong."""

BACK_MAX = timedelta(days=1)
"""An event from longer ago is refused beside requests."""

CLOCK_OFF_MAX = timedelta(days=1)
"""A sender's clock that differs more from the server's is refused: what it says of an event is no time."""


@dataclass(frozen=True, slots=True)
class RefusedMoment:
    """Why an event's time is not taken.

    Attributes:
        field: `occurred_at` or `sent_at`.
        reason: for the sender.
        is_late: whether the event is merely too old.
    """

    field: str
    reason: str
    is_late: bool = False


def corrected_moment(occurred_at: datetime, sent_at: datetime | None, received_at: datetime) -> datetime | RefusedMoment:
    """When it happened by the server's clock, never after `received_at`.

    Where the sender says when it sent, what counts is how long before that it happened: the sender's clock may be wrong by up to a day.

    Args:
        occurred_at: by the sender's clock, UTC.
        sent_at: by the sender's clock, UTC.
        received_at: by the server's clock, UTC.
    """
    if sent_at is not None and abs(sent_at - received_at) > CLOCK_OFF_MAX:
        return RefusedMoment("sent_at", "the sender's clock is more than a day off; set it right")
    ago = (sent_at or received_at) - occurred_at
    if ago < -AHEAD_MAX:
        return RefusedMoment("occurred_at", "more than five minutes ahead; send when it happened, and sent_at by the same clock")
    if ago > BACK_MAX:
        return RefusedMoment("occurred_at", "over a day back; send it as a backfill", is_late=True)
    return received_at - max(ago, timedelta(0))
