"""Batches that are done: their rows on the way to the sinks, and what is needed of them no more."""

from collections.abc import Mapping, Sequence

from endcap.events.stream.buried import LETTER_KEY, LETTER_SCHEMA, LETTERS
from endcap.events.stream.function import StreamFunction
from endcap_stream.spark.storage.batch_outbox import BatchOutbox
from endcap_stream.spark.storage.batch_record import BatchRecord, BatchRecords, rows_name
from endcap_stream.spark.storage.state_folder import StateFolder

_KEPT = 2
"""Newest records that stay: the last batch may come again, and starts from the one before it."""


class DoneBatches:
    """Remembers which batches are done and what waits of them.

    Args:
        folder: of the state.
        records: of the batches.
        functions: whose rows go to sinks.
    """

    def __init__(self, folder: StateFolder, records: BatchRecords, functions: Sequence[StreamFunction]) -> None:
        self._folder, self._records = folder, records
        told = {LETTERS: (LETTER_SCHEMA, LETTER_KEY), **{each.name: (each.row_schema, each.row_key) for each in functions}}
        self.outboxes: Mapping[str, BatchOutbox] = {name: BatchOutbox(folder, name, schema, key) for name, (schema, key) in told.items()}
        self._known: dict[int, BatchRecord] = {}
        for number in records.numbers():
            self.add(records.read(number))
        self._sweep()

    def add(self, record: BatchRecord | None) -> None:
        """A batch is done, now or at an earlier time."""
        if record is None:
            return
        self._known[record.number] = record
        for outbox in self.outboxes.values():
            outbox.put(record)

    def remove_old(self) -> None:
        """Remove what no batch begins from any more. A batch was begun only when Spark's checkpoint had the one before it."""
        newest = sorted(self._known)[-_KEPT:]
        waiting = [number for number in (outbox.first_waiting() for outbox in self.outboxes.values()) if number is not None]
        needed = min([*newest, *waiting], default=0)
        old = [self._known[number] for number in self._known if newest and number < newest[0]]
        used = {name for number in newest for name in self._known[number].file_names()}
        for record in old:
            for name in record.file_names() - used:
                self._folder.remove(name)
            if record.number < needed:
                self._records.remove(record.number)
                del self._known[record.number]

    def _sweep(self) -> None:
        """Files of batches that were begun and never done."""
        used = {name for record in self._known.values() for name in record.file_names()}
        rows = {rows_name(number) for number in self._known}
        for name in self._folder.names("state"):
            if name not in used:
                self._folder.remove(name)
        for name in self._folder.names("rows"):
            if name not in rows:
                self._folder.remove(name)
