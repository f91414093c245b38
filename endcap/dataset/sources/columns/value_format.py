"""How the values of a table are written: numbers, times, lists, and what stands for no value."""

import re
from datetime import date
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from endcap.dataset.sources.files.source_files import text_of


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"{name!r} is no IANA time zone; write it like Europe/Berlin or America/New_York")
    return name


def _text_list(value: Any) -> Any:
    return [text_of(part) for part in value] if isinstance(value, list) else [text_of(value)]


ZoneName = Annotated[
    str, AfterValidator(_known_zone), Field(description="IANA name of the zone of times that carry none, for example Europe/Berlin.")
]
EARLIEST = date(1990, 1, 1)
"""The first day of plausible events, unless the mapping names another."""

Thousands = Literal[",", ".", "'", " ", "\u00a0", "\u202f", "\u2009"]


class ValueFormat(BaseModel):
    """How values are written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time_zone: ZoneName | None = Field(None, description="As above, for this table only.")
    time_format: str | None = Field(None, description='strptime format of times that are not ISO 8601, in quotes: "%d.%m.%Y %H:%M".')
    epoch_unit: Literal["s", "ms", "us"] | None = Field(None, description="Unit of times that are numbers since 1970.")
    first_day: date | None = Field(
        None,
        description="The day with the number 1, where times are numbers of days. A second column may hold the time, as 1631 or 16:31.",
    )
    earliest: date | None = Field(None, description="As above, for this table only.")
    latest: date | None = Field(None, description="As above, for this table only.")
    list_separator: str = Field(" > ", min_length=1, description="Between the entries of category_path.")
    decimal_comma: bool = Field(False, description="Whether numbers are written like 1.234,50 or 1234,50.")
    thousands: Thousands | None = Field(
        None, description="Sign between groups of three digits: , . ' or a blank, which stands for every kind of no-break space too."
    )
    currency_signs: Annotated[list[str], BeforeValidator(_text_list)] = Field(
        default_factory=list, description="Signs or codes that may stand before or after a number, for example [€, EUR]."
    )
    null_values: Annotated[list[str], BeforeValidator(_text_list)] = Field(
        default_factory=lambda: [""], description="Further texts that stand for no value, exactly as written."
    )
    usual_null_values: bool = Field(True, description="Whether NULL, NaN, None, N/A and the like stand for no value.")

    @model_validator(mode="after")
    def _values_can_be_read(self) -> "ValueFormat":
        if self.thousands and self.thousands == ("," if self.decimal_comma else "."):
            raise ValueError(f"thousands: {self.thousands!r} stands before the decimals already; set decimal_comma or another sign")
        if self.time_format is not None:
            _check_format(self.time_format)
        if self.time_format is not None and self.epoch_unit is not None:
            raise ValueError("time_format and epoch_unit: times are either texts or numbers; keep one of them")
        if self.first_day is not None and (self.time_format is not None or self.epoch_unit is not None):
            raise ValueError("first_day: times are numbers of days, so neither time_format nor epoch_unit says how they are written")
        if self.earliest and self.latest and self.latest < self.earliest:
            raise ValueError("latest: must not be before earliest")
        return self


_DIRECTIVE = re.compile(r"%(?:[-_0]?([A-Za-z])|[.]?[369]?(f)|:+(z)|(%))")
_KNOWN = frozenset("YyCmbBhdejAaHIklMSfpPzZDFTRTn")
_DAY_OF_YEAR = (frozenset("md"), frozenset("me"), frozenset("bd"), frozenset("be"), frozenset("Bd"), frozenset("Be"), frozenset("hd"))
_DAYS = (*({"Y", *day} for day in _DAY_OF_YEAR), *({"y", *day} for day in _DAY_OF_YEAR), {"Y", "j"}, {"y", "j"}, {"F"}, {"D"})


def _check_format(form: str) -> None:
    """Refuse a format that can name no moment.

    Raises:
        ValueError: with a sentence about what is unknown or missing.
    """
    rest = _DIRECTIVE.sub("", form)
    found = {next(letter for letter in match.groups() if letter) for match in _DIRECTIVE.finditer(form)} - {"%"}
    unknown = sorted(found - _KNOWN)
    if "%" in rest or unknown:
        sign = f"%{unknown[0]}" if unknown else "a single %"
        raise ValueError(f"time_format: {sign} is unknown; write it like %d.%m.%Y %H:%M or %Y-%m-%dT%H:%M:%S%z")
    if not any(day <= found for day in _DAYS):
        raise ValueError("time_format: names no day; it needs a year, a month and a day, for example %d.%m.%Y %H:%M")
    if found & {"I", "l"} and not found & {"p", "P"}:
        raise ValueError("time_format: %I counts to twelve and needs %p; write %H for hours that count to 23")
    if found & {"M", "S"} and not found & {"H", "I", "k", "l", "T", "R"}:
        raise ValueError("time_format: has minutes or seconds without %H")
