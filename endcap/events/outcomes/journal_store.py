"""Where the rows of the stream's outcome functions are kept, and what is made of them: day tables, totals, click evidence."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from endcap.core.sqlite_transaction import transaction
from endcap.events.outcomes.attribution import Attribution
from endcap.events.outcomes.identified import IdentifiedEvents
from endcap.events.outcomes.journal_connection import JournalConnection
from endcap.events.outcomes.orders import Orders
from endcap.events.outcomes.outcome_counters import (
    ITEM_LABELS,
    LIST_LABELS,
    OutcomeTotals,
    list_labels,
    totals_of_lists,
)
from endcap.events.outcomes.places import Places
from endcap.events.outcomes.resolution import Journal
from endcap.events.outcomes.windows import Windows
from endcap.events.stream.columns import micros

JOURNAL_FILE = "journal.sqlite"

_LISTS_AT_ONCE = 10_000
_HOURS = 24

_KEPT_BY = (("places", "shown_at"), ("attribution", "shown_at"), ("lists", "shown_at"), ("orders", "occurred_at"), ("identified", "moment"))
"""Tables that forget, each with its moment."""


@dataclass(frozen=True, slots=True)
class JournalSink:
    """Where the rows of one function go."""

    store: "JournalStore"
    name: str

    def deliver(self, rows: pl.DataFrame) -> None:
        """Keep rows, each in the place of an earlier one of its key; to be given them again changes nothing."""
        self.store.deliver(self.name, rows)


class JournalStore:
    """A SQLite file. Rows that come again change nothing, and a list is counted once: both hold whenever the process ends.

    Used by several threads: one writes at a time, and who reads what is known neither waits nor is waited for.

    Args:
        folder: for the file; made when it is not there.
        windows: how long after an impression an event counts.
    """

    def __init__(self, folder: Path, windows: Windows | None = None) -> None:
        self._windows = windows or Windows()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / JOURNAL_FILE
        self._lock = threading.RLock()
        self._at = JournalConnection(self._file, self._windows)
        self._takers = {
            Places().name: self._take_places,
            Attribution().name: self._take_touches,
            Orders().name: self._take_orders,
            IdentifiedEvents().name: self._take_identified,
        }

    def close(self) -> None:
        with self._lock:
            self._at.close()

    def sink(self, name: str) -> JournalSink:
        """Where the rows of the function of this name go.

        Raises:
            KeyError: it is none of the functions of outcomes.
        """
        self._takers[name]
        return JournalSink(self, name)

    def deliver(self, name: str, rows: pl.DataFrame) -> None:
        """Keep rows of one function."""
        if rows.is_empty():
            return
        with self._transaction():
            self._takers[name](rows)

    def changed_days(self) -> dict[date, int]:
        """Days on which something was shown whose outcome has changed since `written`, with the number of changes."""
        with self._lock:
            found = self._at.sql.execute("SELECT day, changes FROM changed_days ORDER BY day").fetchall()
        return {date.fromisoformat(day): changes for day, changes in found}

    def written(self, day: date, changes: int) -> None:
        """The day's table has everything up to so many changes."""
        with self._transaction():
            self._at.sql.execute("DELETE FROM changed_days WHERE day = ? AND changes = ?", (day.isoformat(), changes))

    def hours_of(self, day: date) -> Iterator[Journal]:
        """What is known of the lists of a day (UTC), an hour after the other, all as of one moment."""
        begin = datetime.combine(day, time(), UTC)
        with self._snapshot() as at:
            orders = at.contested_orders()
            for hour in range(_HOURS):
                journal = at.shown_within(micros(begin + timedelta(hours=hour)), micros(begin + timedelta(hours=hour + 1)), orders)
                if not journal.places.is_empty():
                    yield journal

    def days(self) -> list[date]:
        """Days (UTC) on which something was shown that is still kept."""
        with self._lock:
            found = self._at.sql.execute("SELECT DISTINCT date(shown_at / 1000000, 'unixepoch') FROM lists").fetchall()
        return sorted(date.fromisoformat(day) for (day,) in found)

    def count_lists(self, present: datetime, window: timedelta, seen_within: timedelta = timedelta(days=7)) -> int:
        """Add the lists whose time is over to the totals, each once, and tell how many there were.

        Args:
            present: UTC.
            window: how long after it a list is counted.
            seen_within: a surface of which something was seen so lately reports what is seen.
        """
        counted = 0
        while True:
            with self._transaction():
                due = "NOT is_counted AND shown_at <= ? ORDER BY shown_at"
                lists = self._at.lists.rows(f"{due} LIMIT {_LISTS_AT_ONCE}", (micros(present - window),))
                if lists.is_empty():
                    return counted
                seen = self._seen_surfaces(present - seen_within)
                self._at.sql.execute("CREATE TEMP TABLE IF NOT EXISTS due_lists (request_id TEXT PRIMARY KEY)")
                self._at.sql.execute("DELETE FROM due_lists")
                self._at.sql.executemany("INSERT INTO due_lists VALUES (?)", lists.select("request_id").rows())
                of_lists = "request_id IN (SELECT request_id FROM due_lists)"
                places = self._at.places.rows(of_lists)
                self._add(totals_of_lists(places, self._at.touches_of(places, of_lists), window, seen))
                self._at.lists.put(lists.with_columns(is_counted=pl.lit(True)))
            counted += len(lists)

    def totals(self) -> OutcomeTotals:
        """What was counted so far; a version of which lists wait stands with zeros."""
        with self._snapshot() as at:
            return OutcomeTotals(at.list_totals.rows(), at.item_totals.rows())

    def forget(self, before: datetime) -> None:
        """Remove what was shown or bought on the days before then; totals and day tables stay."""
        before = datetime.combine(before.astimezone(UTC).date(), time(), UTC)
        with self._transaction():
            for table, column in _KEPT_BY:
                self._at.sql.execute(f"DELETE FROM {table} WHERE {column} < ?", (micros(before),))  # noqa: S608 - names are ours

    def _take_places(self, rows: pl.DataFrame) -> None:
        self._at.places.put(rows)
        self._list_totals_begin(rows)
        lists = rows.group_by("request_id").agg(pl.col("shown_at").min()).select("request_id", pl.col("shown_at").to_physical())
        self._at.sql.executemany("INSERT OR IGNORE INTO lists VALUES (?, ?, FALSE)", lists.rows())
        self._changed(_days(rows))
        self._changed(_days(self._at.touches_by_user(rows)))

    def _list_totals_begin(self, rows: pl.DataFrame) -> None:
        labels = rows.select(list_labels()).unique().select(LIST_LABELS)
        self._at.sql.executemany("INSERT OR IGNORE INTO list_totals VALUES (?, ?, 0, 0, 0)", labels.rows())

    def _take_touches(self, rows: pl.DataFrame) -> None:
        self._at.touches.put(rows)
        # What counts for another impression now no longer counts for the one it counted for.
        self._changed_by(rows["event_id"].unique().to_list())

    def _take_identified(self, rows: pl.DataFrame) -> None:
        # An identity that comes late gives events to another user: what they counted for before may change too.
        users = pl.concat([rows, self._at.rows_of(self._at.identified, "event_id", rows)])
        self._changed(_days(self._at.touches_by_user(users)))
        self._at.identified.put(rows)
        self._changed(_days(self._at.touches_by_user(rows)))
        self._changed_by(rows["event_id"].to_list())

    def _take_orders(self, rows: pl.DataFrame) -> None:
        self._at.orders.put(rows)
        if (rows["event_type"] != "purchase").any():
            contested = self._at.contested_orders()
            self._changed_by(contested.filter(pl.col("event_type") == "purchase")["event_id"].to_list())

    def _changed_by(self, event_ids: list[str]) -> None:
        self._at.sql.execute("CREATE TEMP TABLE IF NOT EXISTS changed_events (event_id TEXT PRIMARY KEY)")
        self._at.sql.execute("DELETE FROM changed_events")
        self._at.sql.executemany("INSERT INTO changed_events VALUES (?)", [(event_id,) for event_id in event_ids])
        touched = "SELECT DISTINCT date(shown_at / 1000000, 'unixepoch') FROM attribution JOIN changed_events USING (event_id)"
        self._changed([date.fromisoformat(day) for (day,) in self._at.sql.execute(touched).fetchall()])

    def _changed(self, days: list[date]) -> None:
        upsert = "INSERT INTO changed_days VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET changes = changes + 1"
        self._at.sql.executemany(upsert, [(day.isoformat(),) for day in days])

    def _seen_surfaces(self, since: datetime) -> list[str]:
        found = self._at.sql.execute("SELECT DISTINCT surface FROM places WHERE seen_at IS NOT NULL AND shown_at >= ?", (micros(since),))
        return [surface for (surface,) in found if surface is not None]

    def _add(self, added: OutcomeTotals) -> None:
        for table, rows, labels in ((self._at.list_totals, added.lists, LIST_LABELS), (self._at.item_totals, added.items, ITEM_LABELS)):
            table.put(pl.concat([table.rows(), rows]).group_by(labels).agg(pl.exclude(labels).sum()))

    @contextmanager
    def _snapshot(self) -> Iterator[JournalConnection]:
        """To read by, which may take long: who writes does not wait for it."""
        at = JournalConnection(self._file, self._windows)
        try:
            at.sql.execute("BEGIN")
            yield at
        finally:
            at.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, transaction(self._at.sql):
            yield


def _days(rows: pl.DataFrame) -> list[date]:
    return rows.select(pl.col("shown_at").dt.date()).unique().to_series().to_list()
