"""First stage: Kafka's records as events, and the lines that are none."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl
import pyarrow as pa

from endcap.contracts.dead_letter import DeadLetterKind
from endcap.events.dead_letters.sealing import Seal
from endcap.events.log.reader import event_schema
from endcap.events.schemas.frame import BrokenFrame, opened
from endcap.events.stream.buried import letters_of
from endcap.events.stream.columns import MOMENT
from endcap.events.stream.following import FoundLine
from endcap.events.stream.lines import LINE, MADE_AT, PROBE_SCHEMA, BrokenLine, read_lines
from endcap_stream.spark.storage.packs import packed

RECORD_COLUMNS = ("topic", "partition", "offset", "value")
"""Of what is read; the value of a record that only moves time is null."""

READ_SCHEMA = "summary binary, content binary"
OFFSET = "__offset"
"""Column of an event's place in its partition, which decides where two came at once."""

EVENTS, LETTERS, NUMBERS = "events", "letters", "numbers"
RECORDS, BROKEN, PROBES = "records", "broken", "probes"
NEWEST_PROBE = "newest_probe"


@dataclass(frozen=True, slots=True)
class RecordReader:
    """Reads the records of one task.

    Attributes:
        now: no event is of after this.
        seal: of dead letters.
    """

    now: datetime
    seal: Seal

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """One row: what the driver has to know of the records, and the records' tables."""
        events, letters, records, broken, probes = [_nothing()], [], 0, 0, PROBE_SCHEMA.to_frame()
        for batch in batches:
            table = pl.DataFrame(batch)
            rows = table.filter(pl.col("value").is_not_null())
            if rows.is_empty():
                continue
            found, lines, found_probes = self._read(rows)
            probes = pl.concat([probes, found_probes])
            events.append(found)
            records, broken = records + len(rows), broken + len(lines)
            letters.append(letters_of(lines, (), found, self.seal, self.now))
        came = pl.concat(events)
        summary = came.select(
            newest=pl.col("occurred_at").max(),
            oldest=pl.col("occurred_at").min(),
            received_at=pl.col("received_at").max(),
            **{RECORDS: pl.lit(records), BROKEN: pl.lit(broken), PROBES: pl.lit(len(probes))},
            **{NEWEST_PROBE: pl.lit(probes[MADE_AT].max(), dtype=MOMENT)},
        )
        tables = {EVENTS: came, LETTERS: pl.concat(letters) if letters else pl.DataFrame()}
        yield pa.RecordBatch.from_pydict({"summary": [packed({NUMBERS: summary})], "content": [packed(tables)]})

    def _read(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, list[FoundLine], pl.DataFrame]:
        lines: list[bytes] = []
        refused: list[BrokenLine] = []
        for place, value in enumerate(rows["value"].to_list()):
            try:
                line = opened(value).json.replace(b"\n", b" ")
            except BrokenFrame as error:
                line = b""
                refused.append(BrokenLine(place, value, error.kind, error.field, error.message))
            if not line.strip() and (not refused or refused[-1].line != place):
                refused.append(BrokenLine(place, value, DeadLetterKind.PAYLOAD_BROKEN, None, "the value is empty"))
            lines.append(line)
        read = read_lines(lines, self.now)
        places = rows.select("offset", "topic", "partition").rows()
        broken = [
            FoundLine(f"{topic}-{partition}", offset, BrokenLine(0, line.content, line.kind, line.field, line.reason))
            for line in (*read.broken, *refused)
            for offset, topic, partition in [places[line.line]]
        ]
        events = read.events.with_columns(rows["offset"].gather(read.events[LINE]).alias(OFFSET)).select(_nothing().columns)
        return events, broken, read.probes


def _nothing() -> pl.DataFrame:
    return pl.DataFrame(schema={**event_schema(), OFFSET: pl.Int64()})
