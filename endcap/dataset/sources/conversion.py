"""Source columns into canonical types, in columns; what cannot be read becomes a problem of its row."""

import json
from dataclasses import dataclass
from typing import Any

import polars as pl

from endcap.contracts.event import EventType
from endcap.contracts.tables import TABLES, arrow_schema
from endcap.dataset.sources.event_ids import event_uuids
from endcap.dataset.sources.mapping import TableMapping
from endcap.dataset.sources.source import PROBLEM_SCHEMA

_UTC = pl.Datetime("us", "UTC")
_OFFSET = r"\s*(?:[Zz]|UTC|[+-]\d{2}:?\d{2})$"
_ISO_FORMATS = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")


@dataclass(frozen=True)
class Reading:
    """One column's values and its faults: each a mask of rows and the reason they are refused."""

    values: pl.Expr
    faults: tuple[tuple[pl.Expr, str], ...] = ()


def read_moments(column: pl.Expr, dtype: pl.DataType, mapped: TableMapping) -> Reading:
    """Times as UTC timestamps of microseconds.

    Args:
        column: texts (ISO 8601 or `time_format`), dates, datetimes with or without a zone, or numbers since 1970 (`epoch_unit`).
        dtype: the column's type in the file.
    """
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return Reading(column.dt.convert_time_zone("UTC").cast(_UTC))
    if isinstance(dtype, pl.Datetime | pl.Date):
        return _localised(column.cast(pl.Datetime("us")), pl.lit(True), column.is_not_null(), mapped)
    if mapped.epoch_unit is not None:
        return _epochs(column, mapped)
    if dtype != pl.String:
        return Reading(pl.lit(None, dtype=_UTC), ((column.is_not_null(), "is a number; name its epoch_unit in the mapping"),))
    text = column.str.strip_chars()
    return _formatted_texts(text, mapped.time_format, mapped) if mapped.time_format else _iso_texts(text, mapped)


def _formatted_texts(text: pl.Expr, form: str, mapped: TableMapping) -> Reading:
    if "%z" not in form:
        return _localised(text.str.to_datetime(form, time_unit="us", strict=False), pl.lit(True), text.is_not_null(), mapped)
    moments = text.str.to_datetime(form, time_unit="us", time_zone="UTC", strict=False)
    return Reading(moments, ((text.is_not_null() & moments.is_null(), f"is no time like {form}"),))


def _epochs(column: pl.Expr, mapped: TableMapping) -> Reading:
    per_unit = {"s": 1_000_000, "ms": 1000, "us": 1}[mapped.epoch_unit or "s"]
    number = column.cast(pl.Float64, strict=False)
    moments = (number * per_unit).round().cast(pl.Int64, strict=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return Reading(moments, ((column.is_not_null() & moments.is_null(), f"is no number of {mapped.epoch_unit} since 1970"),))


def _iso_texts(text: pl.Expr, mapped: TableMapping) -> Reading:
    offset = text.str.extract(f"({_OFFSET})").str.strip_chars()
    plain = text.str.replace(_OFFSET, "").str.replace("[Tt]", " ")
    clock = pl.coalesce(plain.str.to_datetime(form, time_unit="us", strict=False) for form in _ISO_FORMATS)
    hours_minutes = offset.str.replace(":", "").str.extract_groups(r"^([+-])(\d{2})(\d{2})$")
    sign = pl.when(hours_minutes.struct.field("1") == "-").then(-1).otherwise(1)
    minutes = hours_minutes.struct.field("2").cast(pl.Int32) * 60 + hours_minutes.struct.field("3").cast(pl.Int32)
    shifted = (clock - pl.duration(minutes=(sign * minutes).fill_null(0))).dt.replace_time_zone("UTC")
    local = _localised(clock, offset.is_null(), text.is_not_null(), mapped)
    return Reading(pl.when(offset.is_not_null()).then(shifted).otherwise(local.values), local.faults)


def _localised(clock: pl.Expr, naive: pl.Expr, given: pl.Expr, mapped: TableMapping) -> Reading:
    """Naive clock times in the mapping's zone; `naive` says for which rows the zone matters, `given` which rows have a time at all."""
    form = mapped.time_format or "2026-11-27T08:00:00Z"
    unreadable = (given & clock.is_null(), f"is no time like {form}")
    zone = mapped.time_zone
    if zone is None:
        no_zone = (naive & clock.is_not_null(), "the time has no zone; name one in the mapping, for example time_zone: Europe/Berlin")
        return Reading(pl.lit(None, dtype=_UTC), (unreadable, no_zone))
    earlier = clock.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    later = clock.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null")
    skipped = (naive & clock.is_not_null() & earlier.is_null(), f"the time does not exist in {zone}: clocks were put forward over it")
    repeated = (naive & (earlier != later), f"the time comes twice in {zone}: clocks were put back; give it with an offset")
    return Reading(earlier.dt.convert_time_zone("UTC"), (unreadable, skipped, repeated))


_TRUE = ("true", "t", "yes", "y", "1")
_INDEX = "\x1frow"
_SEPARATOR = "\x1f"
_FALSE = ("false", "f", "no", "n", "0")


def to_canonical(
    table: str, raw: pl.DataFrame, mapped: TableMapping, currency: str | None, row_names: pl.Series
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Convert one batch.

    Args:
        raw: the source's columns.
        currency: of prices whose table maps no currency.
        row_names: [rows] String, names each row over all files; event ids are made from it when nothing else names an event.

    Returns: the canonical rows, and the problems as `PROBLEM_SCHEMA`.
    """
    wanted = pl.DataFrame(arrow_schema(TABLES[table]).empty_table()).schema
    readings = {name: _reading(table, name, dtype, raw.schema, mapped) for name, dtype in wanted.items()}
    # The row index gives the frame its height even when every column is a constant.
    frame = raw.with_row_index(_INDEX).select(_INDEX, *(reading.values.alias(name) for name, reading in readings.items())).drop(_INDEX)
    if "currency" in wanted and currency and not _given("currency", mapped):
        price = "unit_price" if table == "events" else "price"
        frame = frame.with_columns(pl.when(pl.col(price).is_not_null()).then(pl.lit(currency)).alias("currency"))
    if table == "events":
        frame = _with_returns(_completed_events(frame, raw, mapped, row_names), raw, mapped)
    return frame, _problems(raw, readings)


def _reading(table: str, name: str, dtype: pl.DataType, source: pl.Schema, mapped: TableMapping) -> Reading:
    if name == "attributes" and mapped.attributes:
        return Reading(_as_json(mapped.attributes))
    if name in mapped.constants:
        return Reading(pl.lit(mapped.constants[name]).cast(dtype))
    if name not in mapped.columns:
        return Reading(pl.lit(_default(table, name, dtype), dtype=dtype))
    column, found = pl.col(mapped.columns[name]), source[mapped.columns[name]]
    if name in mapped.values:
        column, found = column.cast(pl.String).replace(mapped.values[name]), pl.String()
    return _converted(column, found, dtype, mapped)


def _converted(column: pl.Expr, found: pl.DataType, wanted: pl.DataType, mapped: TableMapping) -> Reading:
    if wanted == pl.String:
        return Reading(_as_text(column, found))
    if isinstance(wanted, pl.Datetime):
        return read_moments(column, found, mapped)
    if isinstance(wanted, pl.List):
        return _as_list(column, found, mapped)
    if wanted == pl.Boolean:
        return _as_boolean(column, found)
    return _as_number(column, found, wanted, mapped)


def _as_text(column: pl.Expr, found: pl.DataType) -> pl.Expr:
    if found.is_float():
        # Ids next to empty cells often arrive as 17.0.
        whole = column.is_finite() & (column == column.round())
        return pl.when(whole).then(column.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(column.cast(pl.String))
    return column.cast(pl.String)


def _as_number(column: pl.Expr, found: pl.DataType, wanted: pl.DataType, mapped: TableMapping) -> Reading:
    text = column
    if found == pl.String:
        text = column.str.strip_chars()
        if mapped.decimal_comma:
            text = text.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    number = text.cast(pl.Float64, strict=False)
    if wanted == pl.Float64:
        return Reading(number, ((column.is_not_null() & number.is_null(), "is not a number"),))
    whole = pl.when(number == number.round()).then(number.cast(pl.Int64, strict=False))
    exact = pl.coalesce(text.cast(pl.Int64, strict=False), whole) if found == pl.String else whole
    return Reading(exact, ((column.is_not_null() & exact.is_null(), "is not a whole number"),))


def _as_boolean(column: pl.Expr, found: pl.DataType) -> Reading:
    if found == pl.Boolean:
        return Reading(column)
    text = _as_text(column, found).str.strip_chars().str.to_lowercase()
    flag = pl.when(text.is_in(_TRUE)).then(True).when(text.is_in(_FALSE)).then(False)
    return Reading(flag, ((column.is_not_null() & flag.is_null(), "is neither true nor false"),))


def _as_list(column: pl.Expr, found: pl.DataType, mapped: TableMapping) -> Reading:
    if isinstance(found, pl.List):
        return Reading(column.cast(pl.List(pl.String)).fill_null([]))
    entries = column.cast(pl.String).str.split(mapped.list_separator).list.eval(pl.element().str.strip_chars())
    return Reading(entries.list.eval(pl.element().filter(pl.element() != "")).fill_null([]))


def _as_json(columns: list[str]) -> pl.Expr:
    entries = [pl.when(pl.col(name).is_not_null()).then(pl.lit(json.dumps(name) + ":") + _quoted(name)) for name in columns]
    return pl.concat_str([pl.lit("{"), pl.concat_list(entries).list.drop_nulls().list.join(","), pl.lit("}")])


def _quoted(name: str) -> pl.Expr:
    """The column's text as a JSON string, by way of the one-field object that polars can write."""
    return pl.struct(pl.col(name).cast(pl.String).alias("k")).struct.json_encode().str.slice(len('{"k":')).str.strip_suffix("}")


def _default(table: str, name: str, dtype: pl.DataType) -> Any:
    """The contract's default; an empty list where it has none."""
    field = TABLES[table].model_fields[name]
    if field.is_required():
        return [] if isinstance(dtype, pl.List) else None
    value = field.get_default(call_default_factory=True)
    return "{}" if isinstance(value, dict) else value


def _given(name: str, mapped: TableMapping) -> bool:
    return name in mapped.columns or name in mapped.constants


def _completed_events(frame: pl.DataFrame, raw: pl.DataFrame, mapped: TableMapping, row_names: pl.Series) -> pl.DataFrame:
    """Fill in what an import makes itself: arrival times, and ids of events that have none."""
    if not _given("received_at", mapped):
        frame = frame.with_columns(pl.col("occurred_at").alias("received_at"))
    if _given("event_id", mapped):
        return frame
    if mapped.event_id_from:
        named = pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in mapped.event_id_from], separator=_SEPARATOR)
        row_names = raw.select(named).to_series()
    return frame.with_columns(event_uuids(row_names).alias("event_id"))


def _with_returns(frame: pl.DataFrame, raw: pl.DataFrame, mapped: TableMapping) -> pl.DataFrame:
    """Purchases that the mapping calls returns as returns, with quantities and prices above 0."""
    rule = mapped.returns
    if rule is None:
        return frame
    returned = pl.lit(False)
    if rule.quantity_below is not None:
        returned |= pl.col("quantity") < rule.quantity_below
    if rule.column and rule.starts_with:
        texts = raw.select(pl.col(rule.column).cast(pl.String).str.strip_chars_start().str.starts_with(rule.starts_with)).to_series()
        returned |= pl.lit(texts)
    returned = (returned & (pl.col("event_type") == EventType.PURCHASE.value)).fill_null(False)
    return frame.with_columns(
        pl.when(returned).then(pl.lit(EventType.RETURN.value)).otherwise("event_type").alias("event_type"),
        *(pl.when(returned).then(pl.col(name).abs()).otherwise(name).alias(name) for name in ("quantity", "unit_price")),
    )


def _problems(raw: pl.DataFrame, readings: dict[str, Reading]) -> pl.DataFrame:
    faults = [(name, mask, reason) for name, reading in readings.items() for mask, reason in reading.faults]
    masks = raw.select(mask.fill_null(False).alias(str(number)) for number, (_, mask, _) in enumerate(faults))
    found = [
        pl.DataFrame({"place": masks[str(number)].arg_true()}).with_columns(
            pl.col("place").cast(pl.UInt32), pl.lit(name).alias("column"), pl.lit(reason).alias("reason")
        )
        for number, (name, _, reason) in enumerate(faults)
        if masks[str(number)].any()
    ]
    return pl.concat([pl.DataFrame(schema=PROBLEM_SCHEMA), *found]).unique(subset=["place", "column"], keep="first", maintain_order=True)
