"""Files with a property a row, as one row for each id with the newest value of each property."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import numpy as np
import polars as pl
import pyarrow as pa

from endcap.dataset.sources.columns.moments import read_moments
from endcap.dataset.sources.columns.reading import Fault, repeated
from endcap.dataset.sources.columns.texts import as_id, as_text
from endcap.dataset.sources.columns.value_format import ValueFormat
from endcap.dataset.sources.files.raw_batch import RawBatch
from endcap.dataset.sources.lookup_mapping import Properties
from endcap.dataset.sources.source import UnreadableRow

_ROW = "\x1frow"
_COLUMNS = pl.Schema({"id": pl.String(), "name": pl.String(), "value": pl.String(), "at": pl.Datetime("us", "UTC")})


def property_rows(
    batches: Iterable[RawBatch], properties: Properties, mapped: ValueFormat, last_event: datetime | None
) -> Iterator[RawBatch]:
    """One batch with a row an id, in the order of ids: the id's column, and a column for each property that is kept.

    Memory grows with the ids and the properties that are kept, not with the rows.

    Args:
        batches: the files' rows, in their order.
        mapped: how moments are written.
        last_event: values from after it do not count; None counts all.
    """
    newest = pl.DataFrame(schema=_COLUMNS)
    unreadable: list[UnreadableRow] = []
    for raw in batches:
        unreadable += raw.unreadable
        rows, faults = _read(raw, properties, mapped)
        unreadable += faults
        if last_event is not None:
            rows = rows.filter(pl.col("at").is_null() | (pl.col("at") <= last_event))
        newest = (
            pl.concat([newest, rows])
            .sort("at", nulls_last=False, maintain_order=True)
            .unique(["id", "name"], keep="last", maintain_order=True)
        )
    wide = newest.pivot(on="name", index="id", values="value", on_columns=properties.keep).sort("id").rename({"id": properties.id})
    yield RawBatch(wide, pa.array(np.arange(1, len(wide) + 1)), tuple(unreadable))


def _read(raw: RawBatch, properties: Properties, mapped: ValueFormat) -> tuple[pl.DataFrame, list[UnreadableRow]]:
    kept = as_text(raw.frame[properties.name]).is_in(properties.keep)
    rows = raw.frame.with_columns(pl.Series(_ROW, raw.row_numbers)).filter(kept)
    moment = repeated(None, _COLUMNS["at"], len(rows))
    faults: list[UnreadableRow] = []
    if properties.at is not None:
        reading = read_moments(rows[properties.at], mapped)
        moment = reading.values
        faults = [
            UnreadableRow(number, f"{properties.at}: {said}", text)
            for fault in reading.faults
            for number, said, text in _refused(rows, fault, properties.at).iter_rows()
        ]
    read = pl.DataFrame(
        [
            rows[_ROW],
            as_id(rows[properties.id]).alias("id"),
            as_text(rows[properties.name]).alias("name"),
            as_text(rows[properties.value]).alias("value"),
            moment.alias("at"),
        ]
    )
    named = pl.col("id").str.len_chars() > 0
    faults += [UnreadableRow(number, f"{properties.id}: missing", "") for number in read.filter(~named.fill_null(False))[_ROW]]
    good = named & pl.col("at").is_not_null() if properties.at is not None else named
    return read.filter(good).drop(_ROW), faults


def _refused(rows: pl.DataFrame, fault: Fault, column: str) -> pl.DataFrame:
    why = pl.lit(fault.reason) if isinstance(fault.reason, str) else fault.reason
    return rows.select(_ROW, why.alias("why"), pl.col(column).cast(pl.String).alias("text")).filter(fault.rows.fill_null(False))
