"""Items from lines of orders: one row an id out of all its lines, in bounded memory.

A shop that has no catalogue names its items on every line, now and then in other words. What an item is, most lines say; what changes, the
newest line says. A value that the contract refuses is no value here, so that one bad line costs an item nothing.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from endcap.contracts.item import Item
from endcap.contracts.tables import arrow_schema
from endcap.dataset.sources.source import BATCH_ROWS, Batch, UnreadableRow
from endcap.dataset.validation import find_problems, table_schema

MEMORY_LIMIT = "1GB"
"""What grouping may take before it spills to disk."""

_MOST_FREQUENT = ("brand", "category_path", "family_id")


def one_row_an_id(batches: Iterable[Batch], file: str) -> Iterator[Batch]:
    """Lines as items: newest title and price, most frequent brand, category and family (ties: newest), else the newest value there is.

    Newest is by `created_at` where the lines have it, whose earliest becomes the item's; else by the order of files and lines. A line with
    a price above 0 comes before one without: corrections of stock have odd titles.

    Args:
        batches: lines as rows of the contract `Item`.
        file: where the lines came from; a row's number is that of its newest line.

    Returns:
        Items in the order of their first line. Lines without a usable id are passed on as they are, to be refused.
    """
    with tempfile.TemporaryDirectory() as scratch:
        lines = Path(scratch) / "lines.parquet"
        unreadable: list[UnreadableRow] = []
        left_out = 0
        with _LineFile(lines) as kept:
            for batch in batches:
                unreadable += batch.unreadable
                left_out += batch.left_out
                without_id = kept.add(batch)
                if without_id is not None:
                    yield without_id
        yield from _items(lines, Path(scratch) / "spill", file, unreadable, left_out)


class _LineFile:
    """Lines written aside, what the contract refuses of them left empty."""

    def __init__(self, file: Path) -> None:
        columns = [field.with_nullable(True) for field in arrow_schema(Item)]
        self._schema = pa.schema([*columns, pa.field("row_number", pa.int64()), pa.field("place", pa.int64())])
        self._writer = pq.ParquetWriter(file, self._schema, compression="lz4")
        self._checks = table_schema("items")
        self.lines = 0

    def __enter__(self) -> "_LineFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()

    def add(self, batch: Batch) -> Batch | None:
        """Take in a batch; what is left are its lines without a usable id, as a batch to refuse."""
        frame = pl.DataFrame(batch.rows)
        found = pl.concat([batch.problems, find_problems(frame, self._checks)])
        for name in found["column"].unique():
            places = found.filter(pl.col("column") == name)["place"]
            bad = pl.int_range(pl.len(), dtype=pl.UInt32).is_in(places.implode())
            if name != "item_id":
                frame = frame.with_columns(pl.when(~bad).then(pl.col(name)).alias(name))
        named = ~pl.Series(range(len(frame)), dtype=pl.UInt32).is_in(found.filter(pl.col("column") == "item_id")["place"].implode())
        numbers = pl.Series(batch.row_numbers).cast(pl.Int64)
        places = pl.int_range(self.lines, self.lines + len(frame), eager=True)
        kept = frame.with_columns(numbers.alias("row_number"), places.alias("place")).filter(named)
        self.lines += len(frame)
        self._writer.write_table(kept.to_arrow().cast(self._schema))
        if named.all():
            return None
        return _only(batch, ~named)


def _only(batch: Batch, wanted: pl.Series) -> Batch:
    mask = wanted.to_arrow()
    places = pl.DataFrame({"place": wanted.arg_true().cast(pl.UInt32)}).with_row_index("new")
    problems = batch.problems.join(places, on="place").select(pl.col("new").cast(pl.UInt32).alias("place"), "column", "reason")
    originals = None if batch.originals is None else batch.originals.filter(wanted)
    return Batch(batch.rows.filter(mask), batch.row_numbers.filter(mask), batch.file, problems, originals)


def _items(lines: Path, spill: Path, file: str, unreadable: Sequence[UnreadableRow], left_out: int) -> Iterator[Batch]:
    schema = pa.schema([field.with_nullable(True) for field in arrow_schema(Item)])
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": MEMORY_LIMIT, "temp_directory": str(spill)}
    with duckdb.connect(config=config) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_LINES.format(file=lines))
        for part in connection.sql(_query(schema.names)).to_arrow_reader(BATCH_ROWS):
            rows = pa.Table.from_batches([part])
            merged = pc.sum(rows["merged"]).as_py() or 0
            numbers = rows["row_number"].combine_chunks()
            yield Batch(rows.select(schema.names).cast(schema), numbers, file, unreadable=unreadable, merged=merged, left_out=left_out)
            unreadable, left_out = (), 0
    if unreadable or left_out:
        yield Batch(schema.empty_table(), pa.array([], pa.int64()), file, unreadable=unreadable, left_out=left_out)


_LINES = """
    CREATE VIEW lines AS SELECT * REPLACE (
        CASE WHEN len(category_path) > 0 THEN category_path END AS category_path, nullif(attributes, '{{}}') AS attributes
    ), struct_pack(at := coalesce(epoch_us(created_at), -1), place := place) AS newness, coalesce(price > 0, false) AS priced
    FROM read_parquet('{file}')
"""


def _query(names: Sequence[str]) -> str:
    """An item a row, with its newest line's number and how many lines more it had."""
    value = {name: f"arg_max({name}, newness)" for name in names} | {
        "item_id": "item_id",
        "title": "coalesce(arg_max(title, struct_pack(priced := priced, newness := newness)), item_id)",
        "price": "coalesce(arg_max(price, newness) FILTER (WHERE priced), max(price))",
        "attributes": "coalesce(arg_max(attributes, newness), '{}')",
        "created_at": "min(created_at)",
    }
    value |= {name: f"any_value(frequent_{name}.value)" for name in _MOST_FREQUENT}
    value["category_path"] = "coalesce(any_value(frequent_category_path.value), [])"
    joins = "".join(
        f"""
        LEFT JOIN (
            SELECT item_id, arg_max({name}, struct_pack(lines := lines, newness := newest)) AS value FROM (
                SELECT item_id, {name}, count(*) AS lines, max(newness) AS newest FROM lines WHERE {name} IS NOT NULL GROUP BY ALL
            ) GROUP BY item_id
        ) AS frequent_{name} USING (item_id)"""  # noqa: S608
        for name in _MOST_FREQUENT
    )
    columns = ", ".join(f"{expression} AS {name}" for name, expression in value.items())
    return f"""
        SELECT {columns}, arg_max(row_number, newness) AS row_number, count(*) - 1 AS merged
        FROM lines {joins} GROUP BY item_id ORDER BY min(place)
    """  # noqa: S608
