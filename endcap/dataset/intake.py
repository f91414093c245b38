"""Intake: rows of any source are judged; good ones go on to a table, bad ones are kept with their reason."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandera.polars as pandera
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from endcap.contracts.tables import TABLES, arrow_schema
from endcap.core.files import replacing_file
from endcap.dataset.layout import REJECTED_FILE, table_file
from endcap.dataset.rejection import REJECTED_SCHEMA, Tally, rejected_lines, unreadable_lines
from endcap.dataset.sources.source import BATCH_ROWS, Batch, TableSource, Watch
from endcap.dataset.validation import find_problems, table_schema

KEYS = {"events": "event_id", "items": "item_id", "users": "user_id"}
"""The column that names a table's row; promotions have none."""

_KEPT_SCHEMA = pa.schema(
    [("key", pa.string()), ("content", pa.uint64()), ("named", pa.bool_()), ("file", pa.string()), ("row_number", pa.int64())]
)
_MEMORY_LIMIT = "1GB"
"""What comparing keys may take before it spills to disk."""
_LIST_MARK = "\x1f"


def _contents(rows: pa.Table, key: str) -> pl.Series:
    """A hash of each row without its key, and without the time of its arrival: an event that is sent again arrives again."""
    frame = pl.DataFrame(rows).drop(key, "received_at", strict=False)
    lists = [name for name, kind in frame.schema.items() if kind == pl.List(pl.String)]
    return frame.with_columns(pl.col(name).list.join(_LIST_MARK) for name in lists).hash_rows()


@dataclass
class KeyLog:
    """The keys of the good rows of one table, in the order in which they are written, with a hash of all else in each row."""

    file: Path
    key: str
    _writer: pq.ParquetWriter = field(init=False)

    def __post_init__(self) -> None:
        self._writer = pq.ParquetWriter(self.file, _KEPT_SCHEMA, compression="lz4", use_dictionary=["file"])

    def add(self, rows: pa.Table, row_numbers: pa.Array, batch: Batch) -> None:
        """Note good rows of a batch."""
        columns = {
            "key": rows[self.key],
            "content": _contents(rows, self.key).to_arrow(),
            "named": pa.repeat(batch.named, len(rows)),
            "file": pa.repeat(batch.file, len(rows)),
            "row_number": row_numbers,
        }
        self._writer.write_table(pa.table(columns, schema=_KEPT_SCHEMA))

    def close(self) -> None:
        self._writer.close()

    def repeated(self) -> pl.DataFrame:
        """The rows whose key stood before: `place` (int64, among the good rows, from 0), `file`, `row_number`, `is_copy` (all else too).

        Keys are compared in lower case without the marks that may surround a UUID, so that one id in two spellings counts once.
        """
        canonical = "lower(translate(key, '-{}', ''))" if self.key == "event_id" else "key"
        return self._found(
            f"""
            WITH rows AS (
                SELECT *, replace({canonical}, 'urn:uuid:', '') AS name FROM read_parquet('{self.file}', file_row_number = true)
            ),
            firsts AS (
                SELECT name, min(file_row_number) AS first, arg_min(content, file_row_number) AS first_content FROM rows
                GROUP BY name HAVING count(*) > 1
            )
            SELECT file_row_number AS place, file, row_number, content = first_content AS is_copy FROM rows
            JOIN firsts USING (name) WHERE file_row_number > first ORDER BY place
            """  # noqa: S608
        )

    def equal_lines(self) -> int:
        """Rows that nothing but their place tells from another one."""
        counted = f"SELECT count(*) - 1 AS more FROM read_parquet('{self.file}') WHERE NOT named GROUP BY content"  # noqa: S608
        return int(self._found(f"SELECT coalesce(sum(more), 0)::BIGINT AS more FROM ({counted})")["more"][0])  # noqa: S608

    def _found(self, query: str) -> pl.DataFrame:
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY_LIMIT,
            "temp_directory": str(self.file.with_suffix(".spill")),
        }
        with duckdb.connect(config=config) as connection:
            return pl.DataFrame(connection.sql(query).to_arrow_table())


@dataclass(frozen=True)
class Intake:
    """Judges tables one after the other.

    Attributes:
        scratch: a folder for what is needed only meanwhile.
        folder: where the tables and `rejected.parquet` are written; None to judge and count only.
        max_rejected_share: a table with a larger share of bad rows is refused.
    """

    scratch: Path
    folder: Path | None
    max_rejected_share: float
    watch: Watch

    def take(self, sources: Iterable[TableSource]) -> list[Tally]:
        """Read all sources; `items` comes before the tables that refer to it.

        Raises:
            DataRejected: a table has too many bad rows.
        """
        known_items: pl.Series | None = None
        tallies = []
        with ExitStack() as stack:
            refused = stack.enter_context(_writer(self.folder / REJECTED_FILE, REJECTED_SCHEMA)) if self.folder else None
            for source in sources:
                tally = self._take_table(source, known_items, refused)
                tally.require_share(self.max_rejected_share)
                tallies.append(tally)
                if source.table == "items":
                    known_items = pl.Series(pq.read_table(self._keys_file("items"), columns=["key"])["key"])
        return tallies

    def _take_table(self, source: TableSource, known_items: pl.Series | None, refused: pq.ParquetWriter | None) -> Tally:
        tally = Tally(source.table)
        schema = table_schema(source.table, known_items)
        columns = arrow_schema(TABLES[source.table])
        key = KEYS.get(source.table)
        log = KeyLog(self._keys_file(source.table), key) if key else None
        with ExitStack() as stack:
            written = stack.enter_context(_writer(table_file(self.folder, source.table), columns)) if self.folder else None
            for batch in source.batches():
                if batch.unreadable:
                    lines = unreadable_lines(source.table, batch)
                    _write(refused, lines)
                    tally.add_rejected(lines, lines.num_rows)
                good, lines, bad_count = _judged(source.table, batch, schema)
                tally.rows += good.num_rows
                tally.merged += batch.merged
                tally.copies += batch.copies
                tally.left_out += batch.left_out
                if bad_count:
                    _write(refused, lines)
                    tally.add_rejected(lines, bad_count)
                if log:
                    log.add(good.rows, good.row_numbers, batch)
                _write(written, good.rows.cast(columns))
                self.watch(source.table, tally.read, source.rows)
        if log:
            log.close()
            self._drop_repeated(log, tally, refused)
            tally.equal_lines = log.equal_lines()
        self.watch(source.table, tally.read, tally.read)
        return tally

    def _drop_repeated(self, log: KeyLog, tally: Tally, refused: pq.ParquetWriter | None) -> None:
        """Take out the rows whose key stood before: copies are counted, the same key with other content is refused."""
        repeated = log.repeated()
        if repeated.is_empty():
            return
        content = pl.Series("row", ["{}"]).new_from_index(0, len(repeated))
        if self.folder:
            rows = _take_out(table_file(self.folder, tally.table), repeated["place"].to_numpy())
            content = pl.DataFrame(rows).select(pl.struct(pl.all()).struct.json_encode().alias("row")).to_series()
        other = repeated.with_columns(content).filter(~pl.col("is_copy"))
        lines = other.select(
            pl.lit(tally.table).alias("table"),
            "file",
            "row_number",
            pl.lit(log.key).alias("column"),
            pl.lit("the same id with other content; the first row stays").alias("reason"),
            "row",
        )
        table = lines.to_arrow().cast(REJECTED_SCHEMA)
        _write(refused, table)
        tally.rows -= len(repeated)
        tally.copies += len(repeated) - len(other)
        if len(other):
            tally.add_rejected(table, len(other))

    def _keys_file(self, table: str) -> Path:
        return self.scratch / f"{table}.parquet"


@dataclass(frozen=True)
class _GoodRows:
    rows: pa.Table
    row_numbers: pa.Array

    @property
    def num_rows(self) -> int:
        return int(self.rows.num_rows)


def _judged(table: str, batch: Batch, schema: pandera.DataFrameSchema) -> tuple[_GoodRows, pa.Table, int]:
    """The good rows, the lines about the bad ones, and how many those are. A row that could not be read is not judged further."""
    frame = pl.DataFrame(batch.rows)
    found = find_problems(frame, schema)
    if len(batch.problems):
        found = pl.concat([batch.problems, found.join(batch.problems, on="place", how="anti", maintain_order="left")])
    if found.is_empty():
        return _GoodRows(batch.rows, batch.row_numbers), REJECTED_SCHEMA.empty_table(), 0
    good = np.ones(batch.rows.num_rows, dtype=bool)
    good[found["place"].to_numpy()] = False
    mask = pa.array(good)
    kept = _GoodRows(batch.rows.filter(mask), batch.row_numbers.filter(mask))
    return kept, rejected_lines(table, batch, found), int((~good).sum())


def _take_out(file: Path, places: npt.NDArray[np.int64]) -> pa.Table:
    """Rewrite a Parquet file without the rows at `places` (ascending, from 0) and return those rows."""
    taken = []
    with replacing_file(file) as aside, pq.ParquetFile(file) as source, _writer(aside, source.schema_arrow) as kept:
        start = 0
        for part in source.iter_batches(BATCH_ROWS):
            good = np.ones(part.num_rows, dtype=bool)
            first, last = np.searchsorted(places, [start, start + part.num_rows])
            good[places[first:last] - start] = False
            whole = pa.Table.from_batches([part])
            kept.write_table(whole.filter(pa.array(good)))
            taken.append(whole.filter(pa.array(~good)))
            start += part.num_rows
    return pa.concat_tables(taken)


def _writer(file: Path, schema: pa.Schema) -> pq.ParquetWriter:
    dictionary = [name for name in schema.names if name not in ("event_id", "row")]
    return pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=dictionary)


def _write(writer: pq.ParquetWriter | None, rows: Any) -> None:
    if writer is not None and rows.num_rows:
        writer.write_table(rows)
