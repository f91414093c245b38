"""Files with a property a row, as one row for each id with the newest value of each property."""

from collections.abc import Iterable, Iterator
from datetime import datetime

import numpy as np
import polars as pl
import pyarrow as pa

from endcap.dataset.sources.lookup_mapping import Properties
from endcap.dataset.sources.moments import read_moments
from endcap.dataset.sources.raw_batch import RawBatch
from endcap.dataset.sources.source import UnreadableRow
from endcap.dataset.sources.texts import as_id, as_text
from endcap.dataset.sources.value_format import ValueFormat

_ROW = "\x1frow"
_COLUMNS = {"id": pl.String, "name": pl.String, "value": pl.String, "at": pl.Datetime("us", "UTC")}


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
    schema = raw.frame.schema
    kept = as_text(pl.col(properties.name), schema[properties.name]).is_in(properties.keep)
    rows = raw.frame.with_columns(pl.Series(_ROW, raw.row_numbers)).filter(kept)
    texts = {part: as_text(pl.col(column), schema[column]) for part, column in (("name", properties.name), ("value", properties.value))}
    moment = pl.lit(None, dtype=_COLUMNS["at"])
    faults: list[UnreadableRow] = []
    if properties.at is not None:
        reading = read_moments(pl.col(properties.at), schema[properties.at], mapped)
        moment = reading.values
        for mask, reason in reading.faults:
            why = pl.lit(reason) if isinstance(reason, str) else reason
            bad = rows.filter(mask.fill_null(False)).select(_ROW, why.alias("why"), pl.col(properties.at).cast(pl.String).alias("text"))
            faults += [UnreadableRow(number, f"{properties.at}: {said}", text) for number, said, text in bad.iter_rows()]
    read = rows.select(_ROW, as_id(as_text(pl.col(properties.id), schema[properties.id])).alias("id"), **texts, at=moment)
    named = pl.col("id").str.len_chars() > 0
    nameless = read.filter(~named.fill_null(False))[_ROW]
    faults += [UnreadableRow(number, f"{properties.id}: missing", "") for number in nameless]
    good = named & pl.col("at").is_not_null() if properties.at is not None else named
    return read.filter(good).drop(_ROW), faults
