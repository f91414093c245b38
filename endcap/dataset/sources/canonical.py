"""The tables of a canonical dataset as sources, to judge them again."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from endcap.contracts.tables import TABLES, added_defaults, arrow_schema
from endcap.core.errors import DataRejected
from endcap.dataset.layout import Dataset
from endcap.dataset.sources.source import BATCH_ROWS, Batch, TableSource


def canonical_sources(dataset: Dataset, order: Sequence[str]) -> Iterator[TableSource]:
    """The dataset's tables in the given order.

    Raises:
        DataRejected: while a table is read: its file is damaged.
    """
    for table in order:
        yield TableSource(table, dataset.rows[table], lambda table=table: _batches(dataset, table))  # type: ignore[misc]


def _batches(dataset: Dataset, table: str) -> Iterator[Batch]:
    file = dataset.table(table)
    columns = arrow_schema(TABLES[table])
    start = 1
    try:
        with pq.ParquetFile(file) as source:
            present = [name for name in columns.names if name in source.schema_arrow.names]
            for part in source.iter_batches(BATCH_ROWS, columns=present):
                rows = with_all_columns(pa.Table.from_batches([part]), table)
                yield Batch(rows, pa.array(np.arange(start, start + part.num_rows)), file.name)
                start += part.num_rows
    except (pa.ArrowException, OSError) as error:
        raise DataRejected(f"not a readable Parquet file ({error})", field=str(file), fix="import the data again") from error


def with_all_columns(rows: pa.Table, table: str) -> pa.Table:
    """Rows with the columns of a table's contract, in its order.

    A column that came into the contract after the rows were written is null, or the default where it may have no nulls. Other nulls in
    columns that may have none stay, for the row checks to find.
    """
    lenient = pa.schema([field.with_nullable(True) for field in arrow_schema(TABLES[table])])
    for field in lenient:
        if field.name not in rows.column_names:
            rows = rows.append_column(field, pa.nulls(rows.num_rows, field.type))
    for name, default in added_defaults(table).items():
        rows = rows.set_column(rows.column_names.index(name), lenient.field(name), pc.fill_null(rows[name], default))
    return rows.select(lenient.names).cast(lenient)
