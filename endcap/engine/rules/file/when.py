"""`when` of a rule: the requests and the time it is for."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

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


WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)
_HOURS = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])-([01][0-9]|2[0-4]):([0-5][0-9])")
_NAMES_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Names = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=256)]],
    Field(min_length=1, max_length=200),
    BeforeValidator(_listed),
    WithJsonSchema(_NAMES_SCHEMA),
]
"""One name or a list of names."""

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Weekdays = Annotated[
    list[Weekday],
    Field(min_length=1, max_length=7),
    BeforeValidator(_listed),
    WithJsonSchema({"anyOf": [{"enum": list(WEEKDAYS)}, {"type": "array", "items": {"enum": list(WEEKDAYS)}, "minItems": 1}]}),
]


class Time(BaseModel):
    """A time window; every part that is given must hold."""

    model_config = STRICT

    from_: str | None = Field(
        None, alias="from", description="First moment, ISO 8601: `2026-11-27T08:00` on the clock of `zone`, or with its own offset."
    )
    to: str | None = Field(None, description="First moment after the window, written as `from`.")
    zone: str | None = Field(None, description="IANA time zone, for example `Europe/Berlin`; UTC when left out.")
    weekdays: Weekdays | None = Field(None, description="Days in `zone`: `monday` to `sunday`.")
    hours: str | None = Field(
        None, description='Hours in `zone`, the end not included: "08:00-12:00"; "22:00-02:00" runs past midnight of the day it starts.'
    )

    @model_validator(mode="after")
    def _can_hold(self) -> Self:
        window = self.window()
        if window.start is not None and window.end is not None and window.start >= window.end:
            raise ValueError("`from` must lie before `to`")
        return self

    def window(self) -> TimeWindow:
        """As the engine reads it.

        Raises:
            ValueError: an unknown zone, or something that is no time.
        """
        zone = _zone(self.zone) if self.zone is not None else UTC
        return TimeWindow(
            zone=zone,
            start=_moment("from", self.from_, zone, local=self.zone is not None),
            end=_moment("to", self.to, zone, local=self.zone is not None),
            weekdays=frozenset(WEEKDAYS.index(day) for day in self.weekdays or ()),
            hours=_hours(self.hours) if self.hours is not None else None,
        )


class When(BaseModel):
    """The requests a rule is for; every part that is given must hold, and one name of its list is enough."""

    model_config = STRICT

    surface: Names | None = Field(None, description="Surfaces, for example `home`.")
    segment: Names | None = Field(None, description="Segments the person is in, each `column=value`, for example `age_band=25-34`.")
    device: Names | None = Field(None, description="Devices as requests give them in `context.device`.")
    region: Names | None = Field(None, description="Regions: the request's `context.geo`, else the person's.")
    variant: Names | None = Field(None, description="Variants of the experiment.")
    time: Time | None = Field(None, description="When the rule holds.")


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # ZoneInfo's own for names that are no zone, no file name or a folder
        raise ValueError(f"`zone` {name[:60]!r} is no IANA time zone such as Europe/Berlin") from None


def _moment(key: str, text: str | None, zone: tzinfo, *, local: bool) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{key}` {text[:60]!r} is no ISO 8601 time such as 2026-11-27T08:00") from None
    if moment.tzinfo is None:
        if not local:
            raise ValueError(f"`{key}` {text[:60]!r} has no time zone: add `zone`, or write an offset as in 2026-11-27T08:00Z")
        moment = moment.replace(tzinfo=zone)
    if not EARLIEST.year <= moment.year < LATEST.year:
        raise ValueError(f"`{key}` {text[:60]!r} lies outside the years {EARLIEST.year} to {LATEST.year - 1}")
    return moment.astimezone(UTC)


def _hours(text: str) -> tuple[int, int]:
    match = _HOURS.fullmatch(text)
    first, last = (int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])) if match else (0, 0)
    if match is None or first == last or max(first, last) > 24 * 60 or first == 24 * 60:
        raise ValueError(f'`hours` {text[:60]!r} are not two different times of a day such as "08:00-12:00"')
    return first, last
