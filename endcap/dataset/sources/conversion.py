"""Source columns into canonical types, in columns; what cannot be read becomes a problem of its row."""

import json
from dataclasses import dataclass
from typing import Any

import polars as pl

from endcap.contracts.event import EventType
from endcap.contracts.tables import TABLES, arrow_schema
from endcap.dataset.sources.columns.moments import PlausibleTimes, read_moments
from endcap.dataset.sources.columns.number_texts import plain_numbers
from endcap.dataset.sources.columns.offsets import moved
from endcap.dataset.sources.columns.reading import Fault, Reading, first_of, only_where, repeated
from endcap.dataset.sources.columns.texts import as_id, as_text, without_nulls
from endcap.dataset.sources.constants import canonical_constant
from endcap.dataset.sources.event_ids import event_uuids
from endcap.dataset.sources.source import PROBLEM_SCHEMA
from endcap.dataset.sources.table_mapping import ColumnSource, TableMapping

_TRUE = ("true", "t", "yes", "y", "1")
_FALSE = ("false", "f", "no", "n", "0")
_INDEX = "\x1frow"
_SEPARATOR = "\x1f"


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
        readings = {name: self._reading(name, dtype, raw) for name, dtype in wanted.items()}
        frame = pl.DataFrame([reading.values.alias(name) for name, reading in readings.items()])
        if "currency" in wanted and self.currency and not self.mapped.gives("currency"):
            price = "unit_price" if self.table == "events" else "price"
            frame = frame.with_columns(pl.when(pl.col(price).is_not_null()).then(pl.lit(self.currency)).alias("currency"))
        if self.table == "items" and not self.mapped.one_row_an_id:
            frame = frame.with_columns(pl.coalesce("title", "item_id").alias("title"))
        if self.table == "events":
            frame = self._with_returns(self._completed_events(frame, raw, row_names), raw)
        return frame, _problems(readings)

    def _reading(self, name: str, dtype: pl.DataType, raw: pl.DataFrame) -> Reading:
        mapped = self.mapped
        if name == "attributes" and mapped.attributes:
            return Reading(_as_json(raw, mapped))
        if name in mapped.constants:
            return Reading(repeated(canonical_constant(self.table, name, mapped.constants[name]), dtype, len(raw)))
        if name == "unit_price" and mapped.line_total is not None:
            return self._unit_price(mapped.line_total, dtype, raw)
        if name not in mapped.columns:
            return Reading(repeated(_default(self.table, name, dtype), dtype, len(raw)))
        return self._mapped(name, mapped.columns[name], dtype, raw)

    def _mapped(self, name: str, column: ColumnSource, dtype: pl.DataType, raw: pl.DataFrame) -> Reading:
        mapped = self.mapped
        if isinstance(dtype, pl.List):
            return _as_list(name, column, raw, mapped)
        present = _present(name, column.without_offset(), raw, mapped)
        if name in mapped.values:
            present = as_text(present).replace(mapped.values[name])
        if isinstance(dtype, pl.Datetime):
            judged = self.table == "events" or mapped.epoch_unit is not None
            moments = read_moments(present, mapped, self.times if judged else None)
            if column.offset_unit is None:
                return moments
            return moved(moments, _given(name, raw[column.columns[-1]], mapped), column.offset_unit)
        if dtype == pl.String:
            return Reading(_finished_text(as_text(present), column))
        return _as_boolean(present) if dtype == pl.Boolean else _as_number(present, dtype, mapped)

    def _unit_price(self, line_total: str, dtype: pl.DataType, raw: pl.DataFrame) -> Reading:
        total = _as_number(_given("unit_price", raw[line_total], self.mapped), dtype, self.mapped)
        quantity = self._reading("quantity", dtype, raw).values
        return Reading(only_where(quantity != 0, total.values / quantity), total.faults)

    def _completed_events(self, frame: pl.DataFrame, raw: pl.DataFrame, row_names: pl.Series) -> pl.DataFrame:
        """Fill in what an import makes itself: arrival times, and ids of events that have none."""
        if not self.mapped.gives("received_at"):
            frame = frame.with_columns(pl.col("occurred_at").alias("received_at"))
        if self.mapped.gives("event_id"):
            return frame
        if self.mapped.event_id_from:
            parts = [without_nulls(as_id(raw[name]), "event_id", self.mapped).fill_null("") for name in self.mapped.event_id_from]
            row_names = pl.select(pl.concat_str(parts, separator=_SEPARATOR)).to_series()
        return frame.with_columns(event_uuids(row_names).alias("event_id"))

    def _with_returns(self, frame: pl.DataFrame, raw: pl.DataFrame) -> pl.DataFrame:
        """Purchases that the mapping calls returns as returns, with quantities and prices above 0."""
        rule = self.mapped.returns
        if rule is None:
            return frame
        returned = pl.repeat(False, len(frame), eager=True)
        if rule.quantity_below is not None:
            returned |= (frame["quantity"] < rule.quantity_below).fill_null(False)
        if rule.column and rule.starts_with:
            returned |= as_text(raw[rule.column]).str.starts_with(rule.starts_with).fill_null(False)
        returned &= (frame["event_type"] == EventType.PURCHASE.value).fill_null(False)
        kind = pl.when(returned).then(pl.lit(EventType.RETURN.value)).otherwise("event_type").alias("event_type")
        return frame.with_columns(
            kind, *(pl.when(returned).then(pl.col(name).abs()).otherwise(name).alias(name) for name in ("quantity", "unit_price"))
        )


def _present(name: str, column: ColumnSource, raw: pl.DataFrame, mapped: TableMapping) -> pl.Series:
    """The values of one canonical column, null where a word stands for none."""
    parts = [_given(name, raw[part], mapped) for part in column.columns]
    if len(parts) > 1:
        return pl.select(pl.concat_str([part.cast(pl.String) for part in parts], separator=" ")).to_series()
    if column.otherwise is None:
        return parts[0]
    other = _given(name, raw[column.otherwise], mapped)
    return first_of(parts[0], other) if parts[0].dtype == other.dtype else first_of(as_text(parts[0]), as_text(other))


def _given(name: str, column: pl.Series, mapped: TableMapping) -> pl.Series:
    """A source column as canonical column `name` takes it, null where a word stands for none; ids are texts."""
    if name.endswith("_id"):
        return without_nulls(as_id(column), name, mapped)
    if column.dtype == pl.String:
        return without_nulls(as_text(column), name, mapped)
    return column.fill_nan(None) if column.dtype.is_float() else column


def _finished_text(text: pl.Series, column: ColumnSource) -> pl.Series:
    if column.default is not None:
        text = text.fill_null(pl.lit(column.default))
    return text if column.cut is None else text.str.head(column.cut).str.strip_chars()


def _as_number(column: pl.Series, wanted: pl.DataType, mapped: TableMapping) -> Reading:
    text = plain_numbers(column, mapped) if column.dtype == pl.String else column
    number = text.cast(pl.Float64, strict=False)
    if wanted == pl.Float64:
        return Reading(number, (Fault(column.is_not_null() & number.is_null(), "is not a number"),))
    exact = only_where(number == number.round(), number.cast(pl.Int64, strict=False))
    if column.dtype == pl.String:
        exact = first_of(text.cast(pl.Int64, strict=False), exact)
    return Reading(exact, (Fault(column.is_not_null() & exact.is_null(), "is not a whole number"),))


def _as_boolean(column: pl.Series) -> Reading:
    if column.dtype == pl.Boolean:
        return Reading(column)
    text = as_text(column).str.to_lowercase()
    flag = only_where(text.is_in((*_TRUE, *_FALSE)), text.is_in(_TRUE))
    return Reading(flag, (Fault(column.is_not_null() & flag.is_null(), "is neither true nor false"),))


def _as_list(name: str, column: ColumnSource, raw: pl.DataFrame, mapped: TableMapping) -> Reading:
    parts = [_entries(name, raw[part], mapped) for part in column.columns]
    entries = pl.select(pl.concat_list(parts)).to_series() if len(parts) > 1 else parts[0]
    if column.otherwise is not None:
        entries = first_of(only_where(entries.list.len() > 0, entries), _entries(name, raw[column.otherwise], mapped))
    return Reading(entries if column.cut is None else entries.list.head(column.cut))


def _entries(name: str, column: pl.Series, mapped: TableMapping) -> pl.Series:
    """The entries of a list in one source column; a word that stands for nothing is none."""
    is_list = isinstance(column.dtype, pl.List)
    lists = column.cast(pl.List(pl.String)) if is_list else as_text(column).str.split(mapped.list_separator)
    flat = lists.to_frame("entry").with_row_index(_INDEX).explode("entry", empty_as_null=True)
    kept = flat.with_columns(without_nulls(as_text(flat["entry"]), name, mapped).alias("entry"))
    return kept.group_by(_INDEX, maintain_order=True).agg(pl.col("entry").drop_nulls())["entry"]


def _as_json(raw: pl.DataFrame, mapped: TableMapping) -> pl.Series:
    texts = {name: without_nulls(as_text(raw[name]), "attributes", mapped) for name in mapped.attributes}
    entries = [pl.when(text.is_not_null()).then(pl.lit(json.dumps(name) + ":") + _quoted(text)) for name, text in texts.items()]
    return pl.select(pl.concat_str([pl.lit("{"), pl.concat_list(entries).list.drop_nulls().list.join(","), pl.lit("}")])).to_series()


def _quoted(text: pl.Series) -> pl.Expr:
    """A text as a JSON string, by way of the one-field object that polars can write."""
    return pl.struct(pl.lit(text).alias("k")).struct.json_encode().str.slice(len('{"k":')).str.strip_suffix("}")


def _default(table: str, name: str, dtype: pl.DataType) -> Any:
    """The contract's default; an empty list where it has none."""
    field = TABLES[table].model_fields[name]
    if field.is_required():
        return [] if isinstance(dtype, pl.List) else None
    value = field.get_default(call_default_factory=True)
    return "{}" if isinstance(value, dict) else value


def _problems(readings: dict[str, Reading]) -> pl.DataFrame:
    found = [pl.DataFrame(schema=PROBLEM_SCHEMA)]
    for name, fault in ((name, fault) for name, reading in readings.items() for fault in reading.faults):
        places = fault.rows.fill_null(False).arg_true().cast(pl.UInt32)
        if len(places):
            why = pl.lit(fault.reason) if isinstance(fault.reason, str) else fault.reason.gather(places)
            found.append(pl.DataFrame({"place": places}).with_columns(pl.lit(name).alias("column"), why.alias("reason")))
    return pl.concat(found).unique(subset=["place", "column"], keep="first", maintain_order=True)
