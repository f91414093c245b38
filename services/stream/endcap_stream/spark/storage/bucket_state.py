"""What one bucket remembers of some tables: a file of all keys, and behind it a file a batch of those that it changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

import polars as pl

from endcap.core.errors import DependencyUnavailable
from endcap.events.stream.columns import micros
from endcap.events.stream.function import DUE_AT, KEY, no_due, of_keys, without_keys
from endcap_stream.spark.storage.packs import Pack, packed
from endcap_stream.spark.storage.state_folder import StateFolder

_CHANGES_MAX = 8
"""Files of changes of a bucket; it writes all its keys anew behind so many and its own number, so that not all buckets do at once."""

_SPREAD = 8


Kept = Mapping[str, pl.Expr]


@dataclass(frozen=True, slots=True)
class BucketFiles:
    """Where one bucket's memory lies after a batch.

    Attributes:
        names: in the state folder, the oldest first; a key is as the newest has it that knows the key.
        due_us: when a key is due next, microseconds since 1970; None when none is.
    """

    names: Sequence[str] = ()
    due_us: int | None = None

    def is_due(self, present: datetime) -> bool:
        """Whether a key is due by then."""
        return self.due_us is not None and self.due_us <= micros(present)


@dataclass(frozen=True, slots=True)
class Change:
    """Of one table what a batch changed.

    Attributes:
        keys: text [k]: their rows are replaced.
        state: their rows now.
        due: when they are due.
    """

    keys: pl.Series
    state: pl.DataFrame
    due: pl.DataFrame = field(default_factory=no_due)


@dataclass(slots=True)
class BucketState:
    """Reads what a bucket remembers, and writes what a batch changed; files are read when they are first asked for.

    Attributes:
        folder: of the state.
        files: of the bucket as the batch before left it.
        schemas: columns by table.
    """

    folder: StateFolder
    files: BucketFiles
    schemas: Mapping[str, pl.Schema]
    _packs: list[Pack] = field(default_factory=list)
    _is_read: bool = False

    def rows(self, table: str, keys: pl.Series) -> pl.DataFrame:
        """Rows of some keys."""
        wanted, found = keys.unique(), []
        for pack in reversed(self._all()):
            if wanted.is_empty():
                break
            state = pack.table(f"{table}/state")
            if state is not None:
                found.append(of_keys(state, wanted))
            if (known := pack.table(f"{table}/keys")) is not None:
                wanted = wanted.filter(~wanted.is_in(known[KEY].implode()))
        return pl.concat([self.schemas[table].to_frame(), *found])

    def due(self, table: str, present: datetime, most: int) -> pl.Series:
        """Text: keys that are due by `present`, the longest due first."""
        if not self.files.is_due(present):
            return pl.Series(KEY, [], dtype=pl.String())
        return self._merged(table, "due", no_due()).filter(pl.col(DUE_AT) <= present).sort(DUE_AT).head(most)[KEY]

    def written(self, batch: str, bucket: int, changes: Mapping[str, Change], present: datetime, kept: Kept | None = None) -> BucketFiles:
        """Write what a batch changed, or all keys anew when many batches did.

        Args:
            batch: begins the file's name.
            bucket: its number.
            changes: by table.
            present: keys that were due by then are among those that changed.
            kept: which rows go on to be known, by table, where all keys are written anew.
        """
        due_us = self._next_due(changes, present)
        if not changes:
            return BucketFiles(self.files.names, due_us)
        name = f"{batch}-{bucket}-{uuid4().hex[:12]}"
        if len(self.files.names) < _CHANGES_MAX + bucket % _SPREAD:
            self.folder.write(name, packed(self._tables_of(changes)))
            return BucketFiles((*self.files.names, name), due_us)
        whole = {table: self._whole(table, changes.get(table), (kept or {}).get(table)) for table in self.schemas}
        self.folder.write(name, packed(self._tables_of(whole)))
        return BucketFiles((name,), due_us)

    def _whole(self, table: str, change: Change | None, kept: pl.Expr | None) -> Change:
        state, due = self._merged(table, "state", self.schemas[table].to_frame()), self._merged(table, "due", no_due())
        none = pl.Series(KEY, [], dtype=pl.String())
        if change is not None:
            state = pl.concat([without_keys(state, change.keys), _typed(change.state, self.schemas[table])])
            due = pl.concat([without_keys(due, change.keys), _typed(change.due, due.schema)])
        # It is the oldest file: no older one has to be told of its keys.
        return Change(none, state if kept is None else state.filter(kept), due)

    def _next_due(self, changes: Mapping[str, Change], present: datetime) -> int | None:
        """When the bucket is to be looked at next; exact once it was due, and never too late."""
        came = [change.due[DUE_AT].min() for change in changes.values()]
        if self.files.is_due(present):
            came += [self._others_due(table, changes.get(table))[DUE_AT].min() for table in self.schemas]
        soonest = [micros(moment) for moment in came if isinstance(moment, datetime)]
        if self.files.due_us is not None and not self.files.is_due(present):
            soonest.append(self.files.due_us)
        return min(soonest, default=None)

    def _others_due(self, table: str, change: Change | None) -> pl.DataFrame:
        due = self._merged(table, "due", no_due())
        return due if change is None else without_keys(due, change.keys)

    def _merged(self, table: str, part: str, nothing: pl.DataFrame) -> pl.DataFrame:
        merged = nothing
        for pack in self._all():
            if (known := pack.table(f"{table}/keys")) is not None:
                merged = without_keys(merged, known[KEY])
            if (rows := pack.table(f"{table}/{part}")) is not None:
                merged = pl.concat([merged, rows])
        return merged

    def _all(self) -> list[Pack]:
        if not self._is_read:
            contents = [self.folder.read(name) for name in self.files.names]
            missing = [name for name, content in zip(self.files.names, contents, strict=True) if content is None]
            if missing:
                fix = "remove the state and the query's checkpoint, and start it again: the topics are read from their beginning"
                raise DependencyUnavailable(f"the stream's state lacks {', '.join(missing)}", field=self.folder.address, fix=fix)
            self._packs = [Pack(content) for content in contents if content is not None]
            self._is_read = True
        return self._packs

    def _tables_of(self, changes: Mapping[str, Change]) -> dict[str, pl.DataFrame]:
        tables: dict[str, pl.DataFrame] = {}
        for table, change in changes.items():
            tables[f"{table}/keys"] = change.keys.alias(KEY).to_frame()
            tables[f"{table}/state"] = _typed(change.state, self.schemas[table])
            tables[f"{table}/due"] = _typed(change.due, no_due().schema)
        return tables


def _typed(rows: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(dtype) for name, dtype in schema.items())


def names_of(files: Iterable[BucketFiles]) -> set[str]:
    """All files of some buckets."""
    return {name for each in files for name in each.names}
