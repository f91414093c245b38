"""Assembly of a canonical dataset from sources: judged, described, and put in its place as a whole."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from endcap.contracts.event import EventType
from endcap.contracts.tables import TABLES, added_defaults, arrow_schema
from endcap.core.errors import DataRejected
from endcap.core.files import replacing_folder
from endcap.dataset.holdout import Holdout
from endcap.dataset.intake import Intake
from endcap.dataset.layout import Dataset, Origin, table_file, write_description
from endcap.dataset.rejection import Tally
from endcap.dataset.sources.source import BATCH_ROWS, Batch, TableSource, Watch, watch_nothing
from endcap.features.net_purchases import taken_off_in


def canonical_sources(dataset: Dataset, tables: Sequence[str] = ()) -> Iterator[TableSource]:
    """The dataset's tables, or some of them in the given order; of all, the items come before what refers to them.

    Raises:
        DataRejected: while a table is read: its file is damaged.
    """
    for table in tables or sorted(dataset.rows, key=lambda table: (table != "items", list(TABLES).index(table))):
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


@dataclass(frozen=True)
class EventFacts:
    """`currency` is None when no event has a price; `without_user` counts events, `without_price` purchases."""

    first_event_at: datetime
    last_event_at: datetime
    currency: str | None
    without_user: int
    without_price: int


_FACTS = """
    SELECT min(occurred_at), max(occurred_at), list(DISTINCT currency) FILTER (currency IS NOT NULL), count(*) FILTER (user_id IS NULL),
        count(*) FILTER (event_type = ? AND unit_price IS NULL)
    FROM read_parquet(?)
"""


def read_event_facts(events: Path) -> EventFacts:
    """Read the facts from a table of events.

    Raises:
        DataRejected: there are no events, or their prices are in more than one currency.
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        first, last, currencies, without_user, without_price = connection.execute(
            _FACTS, [EventType.PURCHASE.value, str(events)]
        ).fetchall()[0]
    if first is None or last is None:
        raise DataRejected("there are no good events", field="events", fix="give at least one event that fits the contract")
    if currencies and len(currencies) > 1:
        raise DataRejected(
            "prices are in more than one currency", field="events", value=sorted(currencies), fix="convert them to one before the import"
        )
    return EventFacts(first, last, currencies[0] if currencies else None, without_user, without_price)


def build_dataset(
    sources: Iterable[TableSource],
    target: Path,
    origin: Origin,
    max_rejected_share: float,
    watch: Watch = watch_nothing,
    *,
    holdout: Holdout | None = None,
    person_ids: str | None = None,
) -> Dataset:
    """Read every source and put the dataset in the place of `target` at the end; on failure `target` stays as it was.

    `holdout` is written beside the tables; `person_ids` says what ids in the sources are hashed with already.

    Raises:
        DataRejected: a table has a larger share of bad rows than allowed, there are no events, or prices in several currencies.
    """
    with replacing_folder(target) as folder, tempfile.TemporaryDirectory() as scratch:
        tallies = Intake(Path(scratch), folder, max_rejected_share, watch).take(sources)
        facts = read_event_facts(table_file(folder, "events"))
        taken = taken_off_in(table_file(folder, "events"))
        dataset = Dataset(
            path=folder,
            source=origin.source,
            currency=facts.currency,
            fingerprint=origin.fingerprint if person_ids is None else f"{origin.fingerprint}-{person_ids}",
            person_ids=person_ids,
            rows={tally.table: tally.rows for tally in tallies},
            rejected={tally.table: tally.rejected for tally in tallies},
            first_event_at=facts.first_event_at,
            last_event_at=facts.last_event_at,
            returns=taken.returns,
            unmatched_returns=taken.unmatched,
            events_without_user=facts.without_user,
            purchases_without_price=facts.without_price,
            held_out=len(holdout.purchases) if holdout else 0,
            held_out_cart_additions=holdout.cart_additions if holdout else 0,
            equal_lines=sum(tally.equal_lines for tally in tallies if tally.table == "events"),
            copies={tally.table: tally.copies for tally in tallies if tally.copies},
            left_out={tally.table: tally.left_out for tally in tallies if tally.left_out},
        )
        write_description(dataset)
        if holdout:
            holdout.write(folder)
    return replace(dataset, path=target)


def judge_dataset(dataset: Dataset, max_rejected_share: float, watch: Watch = watch_nothing) -> Sequence[Tally]:
    """Judge every row of a canonical dataset again; nothing is written.

    Raises:
        DataRejected: a table has a larger share of bad rows than allowed, or a file is damaged.
    """
    with tempfile.TemporaryDirectory() as scratch:
        return Intake(Path(scratch), None, max_rejected_share, watch).take(canonical_sources(dataset))
