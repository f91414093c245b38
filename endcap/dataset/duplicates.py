"""Ids that stand twice: the first good row stays, the later ones are refused. DuckDB groups on disk, so memory stays bounded."""

from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

KEYS = {"events": "event_id", "items": "item_id", "users": "user_id"}
"""The column that names a table's row; promotions have none."""

_KEPT_SCHEMA = pa.schema([("key", pa.string()), ("file", pa.string()), ("row_number", pa.int64())])


@dataclass
class KeyLog:
    """The keys of the good rows of one table, in the order in which they are written."""

    file: Path
    _writer: pq.ParquetWriter = field(init=False)

    def __post_init__(self) -> None:
        self._writer = pq.ParquetWriter(self.file, _KEPT_SCHEMA, compression="lz4", use_dictionary=["file"])

    def add(self, keys: pa.ChunkedArray, row_numbers: pa.Array, source: str) -> None:
        files = pa.repeat(source, len(keys))
        self._writer.write_table(pa.table({"key": keys, "file": files, "row_number": row_numbers}, schema=_KEPT_SCHEMA))

    def close(self) -> None:
        self._writer.close()

    def repeated(self) -> pl.DataFrame:
        """The rows whose key stood before: `place` (int64, among the good rows, from 0), `file`, `row_number`.

        Keys are compared in lower case without the marks that may surround a UUID, so that one id in two spellings counts once.
        """
        canonical = "lower(translate(key, '-{}', ''))" if self.file.stem == "events" else "key"
        with duckdb.connect() as connection:
            source = f"read_parquet('{self.file}', file_row_number = true)"
            found = connection.sql(
                f"""
                WITH firsts AS (
                    SELECT replace({canonical}, 'urn:uuid:', '') AS name, min(file_row_number) AS first FROM {source}
                    GROUP BY ALL HAVING count(*) > 1
                )
                SELECT file_row_number AS place, file, row_number FROM {source}
                JOIN firsts ON firsts.name = replace({canonical}, 'urn:uuid:', '') WHERE file_row_number > first ORDER BY place
                """  # noqa: S608
            ).to_arrow_table()
        return pl.DataFrame(found)
