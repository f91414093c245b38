"""Rows of done batches that one sink does not have yet."""

from dataclasses import dataclass, field

import polars as pl

from endcap.events.stream.outbox import Parcel
from endcap_stream.spark.storage.batch_record import BatchRecord, rows_name
from endcap_stream.spark.storage.packs import Pack
from endcap_stream.spark.storage.state_folder import StateFolder

_AT_ONCE = 50
"""Batches whose rows are delivered together."""


@dataclass(slots=True)
class BatchOutbox:
    """One function's rows, a parcel of the rows of several batches. What its sink has is noted by the number of the last batch.

    Attributes:
        folder: of the state.
        name: of the function.
        schema: columns of its rows.
        row_key: columns by which a row takes the place of an earlier one.
    """

    folder: StateFolder
    name: str
    schema: pl.Schema
    row_key: tuple[str, ...]
    _rows: dict[int, int] = field(default_factory=dict)
    _delivered: int = -1

    def __post_init__(self) -> None:
        noted = self.folder.read(self._note)
        self._delivered = int(noted) if noted is not None else -1

    def put(self, record: BatchRecord) -> None:
        """A batch is done. One that the sink has already changes nothing."""
        rows = record.waiting.get(self.name, 0)
        if rows and record.number > self._delivered:
            self._rows[record.number] = rows

    def first_waiting(self) -> int | None:
        """The oldest batch whose rows wait; None where none does."""
        return min(self._rows, default=None)

    def nothing(self) -> pl.DataFrame:
        """No rows."""
        return self.schema.to_frame()

    def parcel(self) -> Parcel | None:
        """Rows of the oldest batches that wait, of each key the newest; None when none waits."""
        numbers = sorted(self._rows)[:_AT_ONCE]
        if not numbers:
            return None
        found = [table for table in map(self._table, numbers) if table is not None]
        rows = pl.concat([self.nothing(), *found]).unique(self.row_key, keep="last", maintain_order=True)
        return Parcel(rows, numbers[-1])

    def remove(self, parcel: Parcel) -> None:
        """The sink has these."""
        self._rows = {number: rows for number, rows in self._rows.items() if number > parcel.number}
        if parcel.number > self._delivered and len(parcel.rows):
            self._delivered = parcel.number
            self.folder.write(self._note, str(parcel.number).encode())

    def waiting(self) -> int:
        """How many rows wait."""
        return sum(self._rows.values())

    @property
    def _note(self) -> str:
        return f"delivered/{self.name}"

    def _table(self, number: int) -> pl.DataFrame | None:
        content = self.folder.read(rows_name(number))
        return None if content is None else Pack(content).table(self.name)
