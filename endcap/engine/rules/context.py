"""The request as rules see it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class RuleContext:
    """What `when` is compared with.

    Attributes:
        surface: the request's surface.
        segments: segments the person is in, each `column=value`, for example `age_band=25-34`.
        now: the moment to answer for, UTC.
        device: as the request gives it.
        region: as the request gives it, else the person's.
        variant: the experiment variant the person is in.
    """

    surface: str
    segments: tuple[str, ...]
    now: datetime
    device: str | None = None
    region: str | None = None
    variant: str = "default"
