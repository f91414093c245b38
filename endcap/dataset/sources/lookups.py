"""Columns from further files, joined to a table's rows by an id."""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import get_args

import polars as pl

from endcap.core.errors import DataRejected, InvalidInput
from endcap.dataset.sources.columns.reading import repeated
from endcap.dataset.sources.columns.texts import as_id, as_text
from endcap.dataset.sources.files.file_reading import raw_batches
from endcap.dataset.sources.files.source_files import SourceFile, SourceFiles, find_files
from endcap.dataset.sources.lookup_mapping import Lookup, OrderMoments, Weekday
from endcap.dataset.sources.source import BATCH_ROWS

_KEY = "\x1fkey"
_NOON = 12
_WEEK = 7
WEEKDAYS: tuple[str, ...] = get_args(Weekday)
"""In the order of `date.weekday`."""


def read_columns(files: Sequence[SourceFile], form: SourceFiles, wanted: Sequence[str], place: str) -> pl.DataFrame:
    """Some columns of files that are held in memory whole, as they stand.

    Raises:
        InvalidInput: a file lacks one of the columns.
        DataRejected: a file is not readable, or has lines that are no rows.
    """
    parts = list(_parts(files, form, list(dict.fromkeys(wanted)), place))
    return pl.concat(parts, how="vertical_relaxed")


def _parts(files: Sequence[SourceFile], form: SourceFiles, wanted: list[str], place: str) -> Iterator[pl.DataFrame]:
    for file in files:
        for raw in raw_batches(file, form, wanted, BATCH_ROWS):
            missing = [name for name in wanted if name not in raw.frame.columns]
            if missing:
                raise InvalidInput(
                    f"the column {', '.join(missing)} is not in {file.name}",
                    field=place,
                    fix=f"the file's columns are {', '.join(raw.frame.columns)}",
                )
            if raw.unreadable:
                row = raw.unreadable[0]
                raise DataRejected(
                    f"row {row.row_number} of {file.name}: {row.reason}",
                    field=place,
                    value=row.text,
                    fix="correct it; files that are looked up must be whole",
                )
            yield raw.frame.select(wanted)


class LoadedLookup:
    """One lookup's files, read.

    Args:
        folder: the imported folder.
        place: how messages call the lookup, for example `tables.events.lookup.0`.

    Raises:
        InvalidInput: a file or column is missing.
        DataRejected: a file is not readable, or order numbers and days are no numbers.
    """

    def __init__(self, folder: Path, place: str, lookup: Lookup) -> None:
        files = find_files(folder, place, lookup.files)
        moments = lookup.moments
        wanted = [lookup.key_column, *lookup.columns.values(), *(moments.source_columns() if moments else [])]
        frame = read_columns(files, lookup, wanted, place)
        if moments:
            frame = frame.with_columns(order_moments(frame, moments, f"{place}.moments").alias(moments.name))
        given = {**lookup.columns, **({moments.name: moments.name} if moments else {})}
        self._place, self._on = place, lookup.on
        self._rows = (
            frame.select(
                as_id(frame[lookup.key_column]).alias(_KEY),
                *(pl.col(column).alias(name) for name, column in given.items()),
            )
            .filter(pl.col(_KEY).is_not_null())
            .unique(subset=_KEY, keep="first", maintain_order=True)
        )

    def joined(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows with the lookup's columns, null where nothing is known of them.

        Raises:
            InvalidInput: the table has a column of the same name already.
        """
        twice = [name for name in self._rows.columns if name in frame.columns]
        if twice:
            raise InvalidInput(
                f"the rows have a column {', '.join(twice)} already",
                field=f"{self._place}.columns",
                fix="give it another name: columns: {new_name: column}",
            )
        key = as_id(frame[self._on]).alias(_KEY)
        return frame.with_columns(key).join(self._rows, on=_KEY, how="left", maintain_order="left").drop(_KEY)


def order_moments(frame: pl.DataFrame, moments: OrderMoments, place: str) -> pl.Series:
    """[rows] String, clock times such as `2026-03-01 09:00`, counted along each person's orders.

    Raises:
        DataRejected: a number, a count of days or an hour is none.
    """
    columns = {"number": moments.number, "days": moments.days, "hour": moments.hour, "weekday": moments.weekday}
    read = {
        name: _whole(frame, column, f"{place}.{name}") if column else repeated(None, pl.Int64(), len(frame))
        for name, column in columns.items()
    }
    orders = pl.DataFrame({"person": as_id(frame[moments.person]), **read}).with_columns(
        pl.col("days").fill_null(0), pl.col("hour").fill_null(_NOON)
    )
    # Several rows may be about one order.
    days = orders.group_by("person", "number").agg(pl.col("days").max(), pl.col("weekday").first()).sort("person", "number")
    since_first = pl.col("days").cum_sum().over("person") - pl.col("days").first().over("person")
    days = days.with_columns(since_first.alias("since"))
    days = days.select("person", "number", _day(moments).cast(pl.Date).cast(pl.String).alias("day"))
    dated = orders.join(days, on=("person", "number"), how="left", maintain_order="left")
    return dated.select(pl.format("{} {}:00", "day", pl.col("hour").cast(pl.String).str.zfill(2))).to_series()


def _day(moments: OrderMoments) -> pl.Expr:
    """The day of each order, from the days `since` the person's first one and the `weekday`s, in the order of a person's orders."""
    zero = WEEKDAYS.index(moments.week_starts)
    since = pl.col("since")
    if moments.first_day:
        shift = (pl.col("weekday").first().over("person") + zero - moments.first_day.weekday()) % _WEEK
        return pl.lit(moments.first_day) + pl.duration(days=since + shift.fill_null(0))
    last = moments.last_day or date.min
    shift = (last.weekday() - zero - pl.col("weekday").last().over("person")) % _WEEK
    return pl.lit(last) + pl.duration(days=since - since.max().over("person") - shift.fill_null(0))


def _whole(frame: pl.DataFrame, column: str, place: str) -> pl.Series:
    text = as_text(frame[column]).replace({"": None, "NaN": None, "nan": None, "NULL": None})
    number = text.cast(pl.Float64, strict=False).round().cast(pl.Int64, strict=False)
    wrong = text.filter(text.is_not_null() & number.is_null())
    if len(wrong):
        raise DataRejected("is not a whole number", field=place, value=wrong[0], fix=f"correct the column {column}")
    return number
