"""Moments: aware datetimes whose offset is zero, the only kind endcap stores."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator

DAY_S = 86_400
"""Seconds of a day."""


def require_utc(moment: datetime) -> datetime:
    """Refuse naive times and other zones: a silent conversion is how an hour of events goes missing.

    Raises:
        ValueError: the time is naive, or its offset from UTC is not zero.
    """
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError("the time has no zone; send it in UTC, for example 2026-11-27T08:00:00Z")
    if offset != timedelta(0):
        raise ValueError("the time is not in UTC; convert it first, for example to 2026-11-27T08:00:00Z")
    return moment.astimezone(UTC)


def utc_text(moment: datetime) -> str:
    """A UTC moment as endcap writes it in JSON: ISO 8601 with `Z`."""
    return moment.isoformat().replace("+00:00", "Z")


UtcMoment = Annotated[datetime, AfterValidator(require_utc)]
