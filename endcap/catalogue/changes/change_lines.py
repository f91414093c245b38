"""Lines of the catalogue's log read for the stream: a table of changes, and the lines that are none with the reason."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from endcap.catalogue.changes.change_log import change_schema
from endcap.catalogue.item_updates import REASON, with_reasons
from endcap.contracts.dead_letter import DeadLetterKind
from endcap.core.line_moments import as_written, read_moments
from endcap.events.acceptance.moments import AHEAD_MAX
from endcap.events.stream.lines import LINE, BrokenLine, ReadLines, parsed_lines


def read_change_lines(lines: Sequence[bytes], now: datetime) -> ReadLines:
    """As `endcap.events.stream.lines.read_lines`, of `CatalogueChange`.

    Args:
        lines: [n], without their ends; empty ones are passed over.
        now: no change is of after this, but for what clocks differ.
    """
    schema = change_schema()
    moments = [name for name, kind in schema.items() if isinstance(kind, pl.Datetime)]
    parsed, broken = parsed_lines(lines, as_written(schema))
    changes = parsed.with_columns(read_moments(schema, strict=False))
    own = pl.coalesce(
        *(
            pl.when(pl.col(name).is_null()).then(pl.lit(f"{name}: missing, or nothing that the contract reads"))
            for name in ("change_id", "received_at")
        ),
        *(pl.when(pl.col(name) > now + AHEAD_MAX).then(pl.lit(f"{name}: in the future")) for name in moments),
    )
    judged = with_reasons(changes).with_columns(pl.coalesce(REASON, own).alias(REASON))
    refused = judged.filter(pl.col(REASON).is_not_null()).select(LINE, REASON)
    broken += [
        BrokenLine(line, lines[line], DeadLetterKind.FIELD_REFUSED, reason.partition(":")[0], reason)
        for line, reason in refused.iter_rows()
    ]
    return ReadLines(judged.filter(pl.col(REASON).is_null()).drop(REASON), broken)
