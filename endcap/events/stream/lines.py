"""Lines of the event log read: a table of events, the probes among them apart, and the lines that are none with the reason."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from json import loads

import polars as pl

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.contracts.event_type import TYPE_RULES, EventType
from endcap.contracts.probe import PROBE
from endcap.contracts.tables import added_defaults
from endcap.core.line_moments import as_written, read_moments
from endcap.events.acceptance.moments import AHEAD_MAX
from endcap.events.log.reader import event_schema
from endcap.events.stream.columns import MOMENT

LINE = "line"
"""Column of a line's place in what was read, from 0."""

MADE_AT = "made_at"
PROBE_SCHEMA = pl.Schema({LINE: pl.Int64(), MADE_AT: MOMENT})
"""Lines that are probes, and when each was made."""

_UUID = "^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$"


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """A line that is no event.

    Attributes:
        line: its place, from 0.
        content: its bytes.
        kind: what is wrong, by kind.
        field: at fault; None for the whole line.
        reason: for the person who mends it.
    """

    line: int
    content: bytes
    kind: DeadLetterKind
    field: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class ReadLines:
    """What lines hold.

    Attributes:
        events: columns of the contract `Event`, and `line`; in the order of the lines.
        broken: lines that are none, in any order.
        probes: PROBE_SCHEMA: lines that are none either, and that nothing counts; in the order of the lines.
    """

    events: pl.DataFrame
    broken: Sequence[BrokenLine]
    probes: pl.DataFrame = field(default_factory=PROBE_SCHEMA.to_frame)


def read_lines(lines: Sequence[bytes], now: datetime) -> ReadLines:
    """Read whole lines.

    Args:
        lines: [n], without their ends; empty ones are passed over.
        now: no event is of after this, but for what clocks differ.
    """
    schema = event_schema()
    parsed, broken = parsed_lines(lines, as_written(schema))
    events = parsed.with_columns(
        read_moments(schema, strict=False),
        pl.col("event_id").str.to_lowercase(),
        pl.col("schema_version").fill_null(1),
        pl.col("consent").fill_null(False),
        *(pl.col(name).fill_null(default) for name, default in added_defaults("events").items()),
    )
    return _refused_apart(events, lines, broken, now)


def parsed_lines(lines: Sequence[bytes], schema: pl.Schema) -> tuple[pl.DataFrame, list[BrokenLine]]:
    """Lines as a table of these columns and `line`, and those that cannot be read so.

    Args:
        lines: [n], without their ends; empty ones are passed over.
        schema: columns as they are written.
    """
    places = list(range(len(lines)))
    try:
        return _parsed(lines, places, schema), []
    except (pl.exceptions.PolarsError, _UnevenLines):
        return _parsed_apart(lines, [place for place in places if lines[place].strip()], schema)


class _UnevenLines(Exception):
    """Fewer rows than lines: some are empty."""


def _parsed(lines: Sequence[bytes], places: Sequence[int], schema: pl.Schema) -> pl.DataFrame:
    """Rows of the lines at these places; all of them are whole, or this raises."""
    if not places:
        return schema.to_frame().with_columns(pl.lit(None, pl.Int64).alias(LINE))
    content = b"\n".join(lines) if len(places) == len(lines) else b"\n".join([lines[place] for place in places])
    rows = pl.read_ndjson(io.BytesIO(content), schema=schema)
    if len(rows) != len(places):
        raise _UnevenLines
    return rows.with_columns(pl.Series(LINE, places, dtype=pl.Int64))


def _parsed_apart(lines: Sequence[bytes], places: Sequence[int], schema: pl.Schema) -> tuple[pl.DataFrame, list[BrokenLine]]:
    """Halves, until each is whole or one line."""
    try:
        return _parsed(lines, places, schema), []
    except (pl.exceptions.PolarsError, _UnevenLines):
        if len(places) == 1:
            return _parsed(lines, [], schema), [_broken(places[0], lines[places[0]])]
    middle = len(places) // 2
    (first, first_broken), (second, second_broken) = (_parsed_apart(lines, part, schema) for part in (places[:middle], places[middle:]))
    return pl.concat([first, second]), first_broken + second_broken


def _broken(place: int, content: bytes) -> BrokenLine:
    try:
        is_object = isinstance(loads(content), dict)
    except ValueError:
        return BrokenLine(place, content, DeadLetterKind.PAYLOAD_BROKEN, None, "the line is no JSON")
    if not is_object:
        return BrokenLine(place, content, DeadLetterKind.PAYLOAD_BROKEN, None, "an event is a JSON object")
    return BrokenLine(place, content, DeadLetterKind.FIELD_REFUSED, None, "a field is of another type than the contract's")


def _refused_apart(events: pl.DataFrame, lines: Sequence[bytes], broken: list[BrokenLine], now: datetime) -> ReadLines:
    """Rows that the contract refuses, by the first rule that they break."""
    rules = _rules(now)
    number = pl.coalesce([pl.when(breaks.fill_null(True)).then(pl.lit(place)) for place, (_, _, breaks, _) in enumerate(rules)])
    judged = events.with_columns(number.alias("rule"))
    refused = judged.filter(pl.col("rule").is_not_null()).select(LINE, "rule")
    for line, rule in refused.iter_rows():
        kind, field, _, reason = rules[rule]
        broken.append(BrokenLine(line, lines[line], kind, field, reason))
    return _probes_apart(judged.filter(pl.col("rule").is_null()).drop("rule") if len(refused) else events, broken)


def _probes_apart(rows: pl.DataFrame, broken: list[BrokenLine]) -> ReadLines:
    """What nobody did is taken out here, before anything counts it, is late because of it or goes by its moment."""
    is_probe = rows["event_type"] == PROBE
    if not is_probe.any():
        return ReadLines(rows, broken)
    probes = rows.filter(is_probe).select(LINE, pl.col("received_at").alias(MADE_AT))
    return ReadLines(rows.filter(~is_probe), broken, probes)


def _rules(now: datetime) -> list[tuple[DeadLetterKind, str, pl.Expr, str]]:
    """Kind, field, what breaks it, and the reason."""
    unknown, refused = DeadLetterKind.SCHEMA_UNKNOWN, DeadLetterKind.FIELD_REFUSED
    kind = pl.col("event_type")
    missing = "missing, or nothing that the contract reads"
    rules = [
        (refused, "event_id", ~pl.col("event_id").str.contains(_UUID), "no UUID"),
        (unknown, "event_type", ~kind.is_in([*(each.value for each in EventType), PROBE]), "no type of the contract"),
        (unknown, "schema_version", pl.col("schema_version") != 1, "no version of the contract"),
        *((refused, name, pl.col(name).is_null(), missing) for name in ("occurred_at", "received_at", "session_id")),
        *((refused, name, pl.col(name) > now + AHEAD_MAX, "in the future") for name in ("occurred_at", "received_at")),
    ]
    for name in sorted({name for rule in TYPE_RULES.values() for name in rule.needs}):
        needs = [each.value for each, rule in TYPE_RULES.items() if name in rule.needs]
        rules.append((refused, name, kind.is_in(needs) & pl.col(name).is_null(), "missing; the event's type needs it"))
    return rules
