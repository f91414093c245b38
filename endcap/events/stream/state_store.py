"""The stream's memory in one SQLite file: states, due moments, ids seen, places in the log, and rows not delivered yet."""

import os
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap.core.folder_lock import locked_folder
from endcap.core.sqlite_transaction import transaction
from endcap.events.stream.columns import BEGINNING, MOMENT, as_tuples, micros, of_tuples, require_flat
from endcap.events.stream.function import DUE_AT, KEY, Step
from endcap.events.stream.outbox import Outbox

VERSION = 1
"""Of the tables below; a file of another version is refused."""

_FILE = "state.sqlite"
_TABLES = """
CREATE TABLE IF NOT EXISTS stamps (name TEXT PRIMARY KEY, stamp TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (file TEXT PRIMARY KEY, bytes INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (event_id TEXT PRIMARY KEY, occurred_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS seen_by_moment ON seen (occurred_at);
CREATE TABLE IF NOT EXISTS due (function TEXT, key TEXT, due_at INTEGER NOT NULL, PRIMARY KEY (function, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS due_by_moment ON due (function, due_at);
"""
_CACHE_KIB = 64 * 1024
_ASKED = "(SELECT value FROM asked)"


@dataclass(frozen=True, slots=True)
class Stated:
    """What a step says of one function.

    Attributes:
        function: its name.
        keys: text [k], the keys that were stepped.
        step: what came out.
    """

    function: str
    keys: pl.Series
    step: Step


@dataclass(frozen=True, slots=True)
class Progress:
    """All that one step changes, stored together or not at all.

    Attributes:
        stated: what was computed.
        seen: `event_id` and `occurred_at` of the events that are not to come again.
        present: the newest moment that is known of.
        reached: the moment that the watermark goes by; not after `present`.
        watermark: ids of events from before it are forgotten: such events are late.
        places: bytes that were read, by file of the log, or offsets of next messages, by topic and partition.
        gone: those of them that are no more.
    """

    stated: Iterable[Stated]
    seen: pl.DataFrame
    present: datetime
    reached: datetime
    watermark: datetime
    places: Mapping[str, int] = field(default_factory=dict)
    gone: Iterable[str] = ()


class StateStore:
    """Reads and writes the state; for one thread at a time. One process at a time has it.

    Args:
        folder: where the file lies; None keeps it in memory.
        schemas: columns of state by name of a function.
        outboxes: row schema and row key by name of a function that delivers.

    Raises:
        InvalidInput: the state that is there is of another version, or of a function with other columns.
        DependencyUnavailable: another process has it, or the disk refused.
    """

    def __init__(
        self, folder: Path | None, schemas: Mapping[str, pl.Schema], outboxes: Mapping[str, tuple[pl.Schema, tuple[str, ...]]]
    ) -> None:
        for name, schema in schemas.items():
            require_flat(schema, name)
        self._schemas = dict(schemas)
        self._place = folder / _FILE if folder else None
        self._lock = locked_folder(folder, "another stream runs on this state") if folder else None
        try:
            self._sql = sqlite3.connect(self._place or ":memory:", isolation_level=None, check_same_thread=False)
            self._sql.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-{_CACHE_KIB};")
            self._sql.executescript("PRAGMA temp_store=MEMORY; CREATE TEMP TABLE asked (value TEXT PRIMARY KEY) WITHOUT ROWID;")
            self._sql.executescript(_TABLES)
            self._check("layout", str(VERSION))
            for name, schema in self._schemas.items():
                self._check(f"state of {name}", _text_of(schema))
                columns = ", ".join(f'"{column}"' for column in schema)
                self._sql.execute(f'CREATE TABLE IF NOT EXISTS "state_{name}" ({columns})')
                self._sql.execute(f'CREATE INDEX IF NOT EXISTS "state_{name}_by_key" ON "state_{name}" ("{KEY}")')
            self.outboxes = {name: Outbox(self._sql, name, schema, key) for name, (schema, key) in outboxes.items()}
            for name, (schema, key) in outboxes.items():
                self._check(f"rows of {name}", f"{_text_of(schema)} by {', '.join(key)}")
        except sqlite3.Error as error:
            self.close()
            raise DependencyUnavailable(f"the stream's state cannot be opened: {error}", field=str(self._place), fix=_REBUILD) from error
        except BaseException:
            self.close()
            raise
        self._number = max((outbox.newest_number() for outbox in self.outboxes.values()), default=0)

    def present(self) -> datetime:
        """Where the stream stood after the newest step; 1970 before the first one."""
        return self._moment("present") or BEGINNING

    def reached(self) -> datetime:
        """The moment that the watermark went by after the newest step; 1970 before the first one."""
        return self._moment("reached") or self.present()

    def places(self) -> dict[str, int]:
        """Bytes that were read, by file of the log, or offsets of next messages, by topic and partition."""
        return dict(self._sql.execute("SELECT file, bytes FROM places").fetchall())

    def seen(self, event_ids: pl.Series) -> pl.Series:
        """Those of text [n] that counted already and are not forgotten yet."""
        self._ask(event_ids)
        rows = self._sql.execute(f"SELECT event_id FROM seen WHERE event_id IN {_ASKED}")  # noqa: S608
        return pl.Series("event_id", [row[0] for row in rows], dtype=pl.String())

    def state(self, function: str, keys: pl.Series) -> pl.DataFrame:
        """Rows of a function's keys, in the order in which they were written."""
        self._ask(keys)
        rows = self._sql.execute(f'SELECT * FROM "state_{function}" WHERE "{KEY}" IN {_ASKED} ORDER BY rowid')  # noqa: S608
        return of_tuples(rows.fetchall(), self._schemas[function])

    def due_keys(self, function: str, present: datetime, most: int) -> pl.Series:
        """Text: keys whose due moment is not after `present`, the longest due first."""
        rows = self._sql.execute(
            "SELECT key FROM due WHERE function = ? AND due_at <= ? ORDER BY due_at LIMIT ?", (function, micros(present), most)
        )
        return pl.Series(KEY, [row[0] for row in rows], dtype=pl.String())

    def is_due(self, present: datetime) -> bool:
        """Whether a key of any function is due."""
        asked = "SELECT EXISTS (SELECT 1 FROM due WHERE function = ? AND due_at <= ?)"
        return any(self._sql.execute(asked, (name, micros(present))).fetchone()[0] for name in self._schemas)

    def keys(self, function: str) -> int:
        """How many keys a function knows something of."""
        return int(self._sql.execute(f'SELECT count(DISTINCT "{KEY}") FROM "state_{function}"').fetchone()[0])  # noqa: S608

    def make_all_due(self, function: str) -> int:
        """Make each key that a function knows something of due at once; how many.

        Raises:
            DependencyUnavailable: the disk refused; nothing changed.
        """
        try:
            with transaction(self._sql):
                due = f'INSERT OR REPLACE INTO due SELECT DISTINCT ?, "{KEY}", 0 FROM "state_{function}"'  # noqa: S608 - names are ours
                return self._sql.execute(due, (function,)).rowcount
        except sqlite3.Error as error:
            raise self._unwritable(error) from error

    def commit(self, progress: Progress) -> None:
        """Store what a step changed, all of it or nothing.

        Raises:
            DependencyUnavailable: the disk refused; nothing was stored, and the step may be done again.
        """
        try:
            with transaction(self._sql):
                self._number += 1
                for stated in progress.stated:
                    self._write(stated)
                self._write_seen(progress)
                self._write_places(progress)
        except sqlite3.Error as error:
            raise self._unwritable(error) from error

    def close(self) -> None:
        """Let go of the file, for another process to have it."""
        if hasattr(self, "_sql"):
            self._sql.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _unwritable(self, error: sqlite3.Error) -> DependencyUnavailable:
        return DependencyUnavailable(f"the stream's state cannot be written: {error}", field=str(self._place), fix="free disk")

    def _write(self, stated: Stated) -> None:
        name = stated.function
        if name in self._schemas:
            self._write_state(stated)
        if name in self.outboxes:
            self.outboxes[name].put(stated.step.rows, self._number)

    def _write_state(self, stated: Stated) -> None:
        name, schema = stated.function, self._schemas[stated.function]
        self._ask(stated.keys)
        self._sql.execute(f'DELETE FROM "state_{name}" WHERE "{KEY}" IN {_ASKED}')  # noqa: S608
        marks = ", ".join("?" * len(schema))
        self._sql.executemany(f'INSERT INTO "state_{name}" VALUES ({marks})', as_tuples(stated.step.state.select(schema.names())))  # noqa: S608
        self._sql.execute(f"DELETE FROM due WHERE function = ? AND key IN {_ASKED}", (name,))  # noqa: S608
        due = stated.step.due.select(pl.lit(name).alias("function"), KEY, pl.col(DUE_AT).cast(MOMENT))
        self._sql.executemany("INSERT OR REPLACE INTO due VALUES (?, ?, ?)", as_tuples(due))

    def _ask(self, values: pl.Series) -> None:
        """What the next statement is about: text of any characters, which a list in JSON is not for SQLite."""
        self._sql.execute("DELETE FROM asked")
        self._sql.executemany("INSERT OR IGNORE INTO asked VALUES (?)", zip(values.to_list(), strict=True))

    def _write_seen(self, progress: Progress) -> None:
        seen = as_tuples(progress.seen.select("event_id", "occurred_at"))
        self._sql.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", seen)
        self._sql.execute("DELETE FROM seen WHERE occurred_at < ?", (micros(progress.watermark),))
        stamps = (("present", progress.present.isoformat()), ("reached", progress.reached.isoformat()))
        self._sql.executemany("INSERT OR REPLACE INTO stamps VALUES (?, ?)", stamps)

    def _write_places(self, progress: Progress) -> None:
        self._sql.executemany("INSERT OR REPLACE INTO places VALUES (?, ?)", list(progress.places.items()))
        self._sql.executemany("DELETE FROM places WHERE file = ?", [(name,) for name in progress.gone])

    def _moment(self, name: str) -> datetime | None:
        found = self._sql.execute("SELECT stamp FROM stamps WHERE name = ?", (name,)).fetchone()
        return datetime.fromisoformat(found[0]) if found else None

    def _check(self, name: str, stamp: str) -> None:
        """Refuse what another version wrote; what is new is stamped."""
        self._sql.execute("INSERT OR IGNORE INTO stamps VALUES (?, ?)", (name, stamp))
        found = self._sql.execute("SELECT stamp FROM stamps WHERE name = ?", (name,)).fetchone()[0]
        if found != stamp:
            raise InvalidInput(
                f"the {name} was written by another version ({found}), this one has {stamp}", field=str(self._place), fix=_REBUILD
            )


_REBUILD = "stop the stream, remove its folder, and start it again: the event log is read from its beginning"


def _text_of(schema: pl.Schema) -> str:
    return ", ".join(f"{name} {dtype}" for name, dtype in schema.items())
