"""Source columns into canonical types, in columns; what cannot be read becomes a problem of its row."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from endcap.contracts.tables import TABLES, arrow_schema
from endcap.dataset.sources.constants import canonical_constant
from endcap.dataset.sources.event_ids import event_uuids
from endcap.dataset.sources.moments import PlausibleTimes, read_moments
from endcap.dataset.sources.number_texts import plain_numbers
from endcap.dataset.sources.reading import Reading
from endcap.dataset.sources.source import PROBLEM_SCHEMA
from endcap.dataset.sources.table_mapping import ColumnSource, TableMapping
from endcap.dataset.sources.texts import as_id, as_text, without_nulls

_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")
_INDEX = "\x1frow"
_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class _Fault:
    """A mask of rows whose value cannot be read, and why: the same for all or an expression of the source's columns."""

    column: str
    rows: pl.Expr
    reason: str | pl.Expr


@dataclass(frozen=True)
class Converter:
    """Makes the canonical columns of one table from its source columns.

    Attributes:
        table: a key of `endcap.contracts.tables.TABLES`.
        currency: of prices whose table maps no currency.
        times: what is plausible for times of events, and for times that are numbers.
    """

    table: str
    mapped: TableMapping
    currency: str | None
    times: PlausibleTimes

    def convert(self, raw: pl.DataFrame, row_names: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Convert one batch.

        Args:
            raw: the source's columns.
            row_names: [rows] String, names each row over all files; event ids are made from it when nothing else names an event.

        Returns: the canonical rows, and the problems as `PROBLEM_SCHEMA`.
        """
        wanted = pl.DataFrame(arrow_schema(TABLES[self.table]).empty_table()).schema
        readings = {name: self._reading(name, dtype, raw.schema) for name, dtype in wanted.items()}
        faults = [_Fault(name, mask, reason) for name, reading in readings.items() for mask, reason in reading.faults]
        # The row index gives the frame its height even when every column is a constant; one pass lets values and masks share their work.
        read = raw.with_row_index(_INDEX).select(
            _INDEX,
            *(reading.values.alias(name) for name, reading in readings.items()),
            *(fault.rows.fill_null(False).alias(f"{_INDEX}{number}") for number, fault in enumerate(faults)),
        )
        frame = read.select(*readings)
        if "currency" in wanted and self.currency and not self.mapped.gives("currency"):
            price = "unit_price" if self.table == "events" else "price"
            frame = frame.with_columns(pl.when(pl.col(price).is_not_null()).then(pl.lit(self.currency)).alias("currency"))
        if self.table == "items":
            frame = frame.with_columns(pl.coalesce("title", "item_id").alias("title"))
        if self.table == "events":
            frame = self._completed_events(frame, raw, row_names)
        return frame, _problems(raw, [(fault, read[f"{_INDEX}{number}"]) for number, fault in enumerate(faults)])

    def _reading(self, name: str, dtype: pl.DataType, source: pl.Schema) -> Reading:
        mapped = self.mapped
        if name == "attributes" and mapped.attributes:
            return Reading(_as_json(mapped.attributes, source, mapped))
        if name in mapped.constants:
            return Reading(pl.lit(canonical_constant(self.table, name, mapped.constants[name]), dtype=dtype))
        if name == "unit_price" and mapped.line_total is not None:
            return self._unit_price(mapped.line_total, dtype, source)
        if name not in mapped.columns:
            return Reading(pl.lit(_default(self.table, name, dtype), dtype=dtype))
        return self._mapped(name, mapped.columns[name], dtype, source)

    def _mapped(self, name: str, column: ColumnSource, dtype: pl.DataType, source: pl.Schema) -> Reading:
        mapped = self.mapped
        if isinstance(dtype, pl.List):
            return _as_list(name, column, source, mapped)
        present, found = _present(name, column, source, mapped)
        if name in mapped.values:
            present, found = as_text(present, found).replace(mapped.values[name]), pl.String()
        if isinstance(dtype, pl.Datetime):
            judged = self.table == "events" or mapped.epoch_unit is not None
            return read_moments(present, found, mapped, self.times if judged else None)
        if dtype == pl.String:
            return Reading(_finished_text(as_text(present, found), column))
        return _as_boolean(present, found) if dtype == pl.Boolean else _as_number(present, found, dtype, mapped)

    def _unit_price(self, line_total: str, dtype: pl.DataType, source: pl.Schema) -> Reading:
        total = _as_number(*_given("unit_price", line_total, source, self.mapped), dtype, self.mapped)
        quantity = self._reading("quantity", dtype, source).values
        return Reading(pl.when(quantity != 0).then(total.values / quantity), total.faults)

    def _completed_events(self, frame: pl.DataFrame, raw: pl.DataFrame, row_names: pl.Series) -> pl.DataFrame:
        """Fill in what an import makes itself: arrival times, and ids of events that have none."""
        if not self.mapped.gives("received_at"):
            frame = frame.with_columns(pl.col("occurred_at").alias("received_at"))
        if self.mapped.gives("event_id"):
            return frame
        if self.mapped.event_id_from:
            parts = [_id_of("event_id", name, raw.schema, self.mapped).fill_null("") for name in self.mapped.event_id_from]
            row_names = raw.select(pl.concat_str(parts, separator=_SEPARATOR)).to_series()
        return frame.with_columns(event_uuids(row_names).alias("event_id"))


def _present(name: str, column: ColumnSource, source: pl.Schema, mapped: TableMapping) -> tuple[pl.Expr, pl.DataType]:
    """The values of one canonical column, null where a word stands for none, and their type."""
    parts = [_given(name, part, source, mapped) for part in column.columns]
    if len(parts) > 1:
        return pl.concat_str([part.cast(pl.String) for part, _ in parts], separator=" "), pl.String()
    [(first, dtype)] = parts
    if column.otherwise is None:
        return first, dtype
    other, other_dtype = _given(name, column.otherwise, source, mapped)
    if dtype == other_dtype:
        return pl.coalesce(first, other), dtype
    return pl.coalesce(as_text(first, dtype), as_text(other, other_dtype)), pl.String()


def _given(name: str, part: str, source: pl.Schema, mapped: TableMapping) -> tuple[pl.Expr, pl.DataType]:
    """A source column as canonical column `name` takes it, null where a word stands for none, and its type: ids are texts."""
    dtype = source[part]
    if name.endswith("_id"):
        return _id_of(name, part, source, mapped), pl.String()
    if dtype == pl.String:
        return without_nulls(as_text(pl.col(part), dtype), name, mapped), dtype
    return (pl.col(part).fill_nan(None) if dtype.is_float() else pl.col(part)), dtype


def _id_of(name: str, part: str, source: pl.Schema, mapped: TableMapping) -> pl.Expr:
    return without_nulls(as_id(as_text(pl.col(part), source[part])), name, mapped)


def _finished_text(text: pl.Expr, column: ColumnSource) -> pl.Expr:
    if column.default is not None:
        text = text.fill_null(column.default)
    return text if column.cut is None else text.str.head(column.cut).str.strip_chars()


def _as_number(column: pl.Expr, found: pl.DataType, wanted: pl.DataType, mapped: TableMapping) -> Reading:
    text = plain_numbers(column, mapped) if found == pl.String else column
    number = text.cast(pl.Float64, strict=False)
    if wanted == pl.Float64:
        return Reading(number, ((column.is_not_null() & number.is_null(), "is not a number"),))
    whole = pl.when(number == number.round()).then(number.cast(pl.Int64, strict=False))
    exact = pl.coalesce(text.cast(pl.Int64, strict=False), whole) if found == pl.String else whole
    return Reading(exact, ((column.is_not_null() & exact.is_null(), "is not a whole number"),))


def _as_boolean(column: pl.Expr, found: pl.DataType) -> Reading:
    if found == pl.Boolean:
        return Reading(column)
    text = as_text(column, found).str.to_lowercase()
    flag = pl.when(text.is_in(_TRUE)).then(True).when(text.is_in(_FALSE)).then(False)
    return Reading(flag, ((column.is_not_null() & flag.is_null(), "is neither true nor false"),))


def _as_list(name: str, column: ColumnSource, source: pl.Schema, mapped: TableMapping) -> Reading:
    parts = [_entries(name, part, source, mapped) for part in column.columns]
    entries = pl.concat_list(parts) if len(parts) > 1 else parts[0]
    if column.otherwise is not None:
        entries = pl.when(entries.list.len() > 0).then(entries).otherwise(_entries(name, column.otherwise, source, mapped))
    return Reading(entries if column.cut is None else entries.list.head(column.cut))


def _entries(name: str, part: str, source: pl.Schema, mapped: TableMapping) -> pl.Expr:
    """The entries of a list in one source column; a word that stands for nothing is none."""
    if isinstance(source[part], pl.List):
        split = pl.col(part).cast(pl.List(pl.String))
    else:
        split = as_text(pl.col(part), source[part]).str.split(mapped.list_separator)
    kept = without_nulls(pl.element().str.strip_chars(), name, mapped)
    return split.list.eval(kept).list.drop_nulls().fill_null([])


def _as_json(columns: list[str], source: pl.Schema, mapped: TableMapping) -> pl.Expr:
    texts = {name: without_nulls(as_text(pl.col(name), source[name]), "attributes", mapped) for name in columns}
    entries = [pl.when(text.is_not_null()).then(pl.lit(json.dumps(name) + ":") + _quoted(text)) for name, text in texts.items()]
    return pl.concat_str([pl.lit("{"), pl.concat_list(entries).list.drop_nulls().list.join(","), pl.lit("}")])


def _quoted(text: pl.Expr) -> pl.Expr:
    """A text as a JSON string, by way of the one-field object that polars can write."""
    return pl.struct(text.alias("k")).struct.json_encode().str.slice(len('{"k":')).str.strip_suffix("}")


def _default(table: str, name: str, dtype: pl.DataType) -> Any:
    """The contract's default; an empty list where it has none."""
    field = TABLES[table].model_fields[name]
    if field.is_required():
        return [] if isinstance(dtype, pl.List) else None
    value = field.get_default(call_default_factory=True)
    return "{}" if isinstance(value, dict) else value


def _problems(raw: pl.DataFrame, faults: Sequence[tuple[_Fault, pl.Series]]) -> pl.DataFrame:
    found = [pl.DataFrame(schema=PROBLEM_SCHEMA)]
    for fault, mask in faults:
        places = mask.arg_true().cast(pl.UInt32)
        if len(places):
            why = pl.lit(fault.reason) if isinstance(fault.reason, str) else raw.select(fault.reason).to_series().gather(places)
            found.append(pl.DataFrame({"place": places}).with_columns(pl.lit(fault.column).alias("column"), why.alias("reason")))
    return pl.concat(found).unique(subset=["place", "column"], keep="first", maintain_order=True)
