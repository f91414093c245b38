"""Files of a folder that look the same, and what their columns may be."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from endcap.dataset.sources.columns.texts import as_text
from endcap.dataset.sources.columns.value_format import ValueFormat
from endcap.dataset.sources.suggestion.column_guesses import TimeGuess, by_name, guess_clock, guess_time, is_number, is_whole
from endcap.dataset.sources.suggestion.file_looks import FileLook
from endcap.dataset.sources.suggestion.words import kind_in_name

CURRENCIES = {"€": "EUR", "£": "GBP", "$": "USD", "¥": "JPY"}
_BY_NAME = ("item_id", "user_id", "session_id", "event_type", "title", "category_path", "brand", "store_id", "channel", "currency")
_DAYS_MAX = 20_000


@dataclass(frozen=True)
class LookupGuess:
    """Columns that a part may take from other files.

    Attributes:
        part: those files.
        on: the column of both that joins them.
        columns: names in the table, and the columns of the files that they are.
        moments: by option of `moments`, the column or value; None for none.
    """

    part: "Part"
    on: str
    columns: dict[str, str]
    moments: dict[str, str] | None = None


@dataclass
class Part:
    """Files that look the same.

    Attributes:
        found: canonical column: source column.
        reasons: why, by canonical column.
        numbers: options with which its numbers read.
        clock: a column with the time of day beside that of the day.
        numbered_days: whether its times are numbers of days.
        path: columns of the category path, the broadest first, where it is of several.
        lookups: what it takes from other files.
    """

    looks: list[FileLook]
    found: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    time: TimeGuess | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    clock: str | None = None
    numbered_days: bool = False
    path: list[str] = field(default_factory=list)
    lookups: list[LookupGuess] = field(default_factory=list)

    @property
    def sample(self) -> pl.DataFrame:
        return self.looks[0].sample

    @property
    def kind(self) -> str | None:
        """The type of events that its files' names say."""
        return kind_in_name(self.looks[0].file.name)

    def take(self, canonical: str, columns: Sequence[str], reason: str) -> None:
        free = [column for column in columns if column not in self.found.values()]
        if free:
            self.found[canonical] = free[0]
            self.reasons[canonical] = reason

    def values(self, canonical: str) -> pl.Series:
        """A found column as it stands in the sample, empty where another file has it."""
        column = self.found[canonical]
        return self.sample[column] if column in self.sample.columns else pl.Series(column, [], dtype=pl.String)


def alike(looks: Sequence[FileLook]) -> list[Part]:
    """Files with the same columns, written in the same way and named for the same type of events, with their columns looked for."""
    parts: dict[str, Part] = {}
    for look in looks:
        key = json.dumps([look.file.ending, look.sample.columns, look.form, kind_in_name(look.file.name)], sort_keys=True)
        parts.setdefault(key, Part([])).looks.append(look)
    for part in parts.values():
        _look_for_columns(part)
    return list(parts.values())


def _look_for_columns(part: Part) -> None:
    columns = part.sample.columns
    _look_for_times(part)
    for canonical in _BY_NAME:
        part.take(canonical, by_name(canonical, columns), "by its name")
    signs = _currency_signs(part.sample, [*by_name("unit_price", columns), *by_name("line_total", columns)])
    written: tuple[dict[str, Any], ...] = ({}, {"decimal_comma": True}, {"thousands": ","})
    for form in [form | ({"currency_signs": signs} if signs else {}) for form in written]:
        mapped = ValueFormat(**form)
        for canonical in ("quantity", "rating", "unit_price", "line_total"):
            numeric = [column for column in by_name(canonical, columns) if is_number(part.sample[column], mapped)]
            if canonical not in part.found and numeric and (canonical != "line_total" or "unit_price" not in part.found):
                part.take(canonical, numeric, "by its name, and its values are numbers")
                part.numbers |= form
    amounts = [column for column in columns if column.lower() == "amount" and is_whole(part.sample[column])]
    if "quantity" not in part.found and {"unit_price", "line_total"} & set(part.found):
        part.take("quantity", amounts, "its values are whole numbers, and another column has the price")


def _look_for_times(part: Part) -> None:
    columns = part.sample.columns
    times = {column: guess for column in columns if (guess := guess_time(part.sample[column]))}
    named = [column for column in by_name("occurred_at", columns) if column in times]
    if times:
        part.take("occurred_at", named or list(times), "named like a time" if named else "the only column with times")
        part.time = times[part.found["occurred_at"]]
        beside = [column for column in columns if guess_clock(part.sample[column])]
        if beside and part.time.is_day:
            part.clock = beside[0]
            seconds = " %H:%M:%S" if as_text(part.sample[beside[0]]).str.count_matches(":").max() == len("::") else " %H:%M"
            part.time = part.time.with_clock(seconds)
        return
    days = [column for column in columns if re.fullmatch(r"day(s|_?(no|nr|number|num|index))?", column.lower())]
    days = [column for column in days if is_whole(part.sample[column], 0, _DAYS_MAX)]
    if days:
        part.take("occurred_at", days, "a number of days")
        part.numbered_days = True
        clocks = [column for column in by_name("occurred_at", columns) if is_whole(part.sample[column], 0, 2359)]
        part.clock = next((column for column in clocks if column != days[0]), None)


def _currency_signs(sample: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    texts = [sample[column] for column in columns if sample[column].dtype == pl.String]
    return [sign for sign in CURRENCIES if any(text.str.contains(sign, literal=True).any() for text in texts)]
