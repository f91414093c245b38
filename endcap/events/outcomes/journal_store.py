"""Where the rows of the stream's outcome functions are kept, and what is made of them: day tables, totals, click evidence."""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import polars as pl

from endcap.core.sqlite_transaction import transaction
from endcap.events.outcomes.attribution import TOUCH_SCHEMA, Attribution
from endcap.events.outcomes.identified import IDENTIFIED_SCHEMA, IdentifiedEvents, touches_of_identified
from endcap.events.outcomes.journal_tables import JournalTable
from endcap.events.outcomes.orders import ORDER_SCHEMA, Orders
from endcap.events.outcomes.outcome_counters import (
    ITEM_LABELS,
    ITEM_TOTALS_SCHEMA,
    LIST_LABELS,
    LIST_TOTALS_SCHEMA,
    OutcomeTotals,
    list_labels,
    totals_of_lists,
)
from endcap.events.outcomes.places import PLACE, PLACE_SCHEMA, Places
from endcap.events.outcomes.resolution import Journal
from endcap.events.outcomes.windows import Windows
from endcap.events.stream.columns import micros

JOURNAL_FILE = "journal.sqlite"

_LISTS_SCHEMA = pl.Schema({"request_id": pl.String(), "shown_at": pl.Datetime("us", "UTC"), "is_counted": pl.Boolean()})

_TOUCHED = """event_id IN (SELECT event_id FROM attribution WHERE {condition})"""

_TAKES = "SELECT {column} FROM orders WHERE event_type <> 'purchase' AND {column} IS NOT NULL"

_CONTESTED = " OR ".join(
    (
        "event_type <> 'purchase'",
        f"user_id IN ({_TAKES.format(column='user_id')})",
        f"session_id IN ({_TAKES.format(column='session_id')})",
        f"order_id IN ({_TAKES.format(column='order_id')})",
        f"session_id IN ({_TAKES.format(column='order_id')})",
    )
)
"""Returns, and the purchases that one of them could mean."""

_LISTS_AT_ONCE = 10_000

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

    Used by several threads, one at a time.

    Args:
        folder: for the file; made when it is not there.
        windows: how long after an impression an event counts.
    """

    def __init__(self, folder: Path, windows: Windows | None = None) -> None:
        self._windows = windows or Windows()
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._sql = sqlite3.connect(folder / JOURNAL_FILE, isolation_level=None, check_same_thread=False)
        self._sql.execute("PRAGMA journal_mode = WAL")
        self._sql.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            self._places = JournalTable(self._sql, "places", PLACE_SCHEMA, PLACE, ["shown_at", "user_id"])
            self._touches = JournalTable(self._sql, "attribution", TOUCH_SCHEMA, Attribution().row_key, ["shown_at", "request_id"])
            self._orders = JournalTable(self._sql, "orders", ORDER_SCHEMA, ("event_id",), ["user_id", "session_id", "order_id"])
            self._identified = JournalTable(self._sql, "identified", IDENTIFIED_SCHEMA, ("event_id",), ["user_id"])
            self._lists = JournalTable(self._sql, "lists", _LISTS_SCHEMA, ("request_id",))
            self._sql.execute("CREATE INDEX IF NOT EXISTS lists_waiting ON lists (shown_at) WHERE NOT is_counted")
            self._list_totals = JournalTable(self._sql, "list_totals", LIST_TOTALS_SCHEMA, LIST_LABELS)
            self._item_totals = JournalTable(self._sql, "item_totals", ITEM_TOTALS_SCHEMA, ITEM_LABELS)
            self._sql.execute("CREATE TABLE IF NOT EXISTS changed_days (day TEXT PRIMARY KEY, changes INTEGER NOT NULL)")
        self._takers = {
            Places().name: self._take_places,
            Attribution().name: self._take_touches,
            Orders().name: self._take_orders,
            IdentifiedEvents().name: self._take_identified,
        }

    def close(self) -> None:
        with self._lock:
            self._sql.close()

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
            found = self._sql.execute("SELECT day, changes FROM changed_days ORDER BY day").fetchall()
        return {date.fromisoformat(day): changes for day, changes in found}

    def written(self, day: date, changes: int) -> None:
        """The day's table has everything up to so many changes."""
        with self._transaction():
            self._sql.execute("DELETE FROM changed_days WHERE day = ? AND changes = ?", (day.isoformat(), changes))

    def journal(self, first: date, last: date) -> Journal:
        """What is known of the lists of some days (UTC), both ends included."""
        begin = datetime.combine(first, time(), UTC)
        end = datetime.combine(last + timedelta(days=1), time(), UTC)
        between = (micros(begin), micros(end))
        with self._lock:
            shown = "shown_at >= ? AND shown_at < ?"
            places = self._places.rows(shown, between)
            return Journal(places, self._touches_of(places, shown, between), self._orders.rows(_CONTESTED))

    def days(self) -> list[date]:
        """Days (UTC) on which something was shown that is still kept."""
        with self._lock:
            found = self._sql.execute("SELECT DISTINCT date(shown_at / 1000000, 'unixepoch') FROM lists").fetchall()
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
                lists = self._lists.rows(f"{due} LIMIT {_LISTS_AT_ONCE}", (micros(present - window),))
                if lists.is_empty():
                    return counted
                seen = self._seen_surfaces(present - seen_within)
                self._sql.execute("CREATE TEMP TABLE IF NOT EXISTS due_lists (request_id TEXT PRIMARY KEY)")
                self._sql.execute("DELETE FROM due_lists")
                self._sql.executemany("INSERT INTO due_lists VALUES (?)", lists.select("request_id").rows())
                of_lists = "request_id IN (SELECT request_id FROM due_lists)"
                places = self._places.rows(of_lists)
                self._add(totals_of_lists(places, self._touches_of(places, of_lists), window, seen))
                self._lists.put(lists.with_columns(is_counted=pl.lit(True)))
            counted += len(lists)

    def totals(self) -> OutcomeTotals:
        """What was counted so far; a version of which lists wait stands with zeros."""
        with self._lock:
            return OutcomeTotals(self._list_totals.rows(), self._item_totals.rows())

    def forget(self, before: datetime) -> None:
        """Remove what was shown or bought on the days before then; totals and day tables stay."""
        before = datetime.combine(before.astimezone(UTC).date(), time(), UTC)
        with self._transaction():
            for table, column in _KEPT_BY:
                self._sql.execute(f"DELETE FROM {table} WHERE {column} < ?", (micros(before),))  # noqa: S608 - names are ours

    def _take_places(self, rows: pl.DataFrame) -> None:
        self._places.put(rows)
        self._list_totals_begin(rows)
        lists = rows.group_by("request_id").agg(pl.col("shown_at").min()).select("request_id", pl.col("shown_at").to_physical())
        self._sql.executemany("INSERT OR IGNORE INTO lists VALUES (?, ?, FALSE)", lists.rows())
        self._changed(_days(rows))
        self._changed(_days(self._touches_by_user(rows)))

    def _list_totals_begin(self, rows: pl.DataFrame) -> None:
        labels = rows.select(list_labels()).unique().select(LIST_LABELS)
        self._sql.executemany("INSERT OR IGNORE INTO list_totals VALUES (?, ?, 0, 0, 0)", labels.rows())

    def _take_touches(self, rows: pl.DataFrame) -> None:
        self._touches.put(rows)
        # What counts for another impression now no longer counts for the one it counted for.
        self._changed_by(rows["event_id"].unique().to_list())

    def _take_identified(self, rows: pl.DataFrame) -> None:
        # An identity that comes late gives events to another user: what they counted for before may change too.
        users = pl.concat([rows, self._rows_of(self._identified, "event_id", rows)])
        self._changed(_days(self._touches_by_user(users)))
        self._identified.put(rows)
        self._changed(_days(self._touches_by_user(rows)))
        self._changed_by(rows["event_id"].to_list())

    def _take_orders(self, rows: pl.DataFrame) -> None:
        self._orders.put(rows)
        if (rows["event_type"] != "purchase").any():
            contested = self._orders.rows(_CONTESTED)
            self._changed_by(contested.filter(pl.col("event_type") == "purchase")["event_id"].to_list())

    def _touches_of(self, places: pl.DataFrame, condition: str, values: Sequence[object] = ()) -> pl.DataFrame:
        """All pairs of each event that has one with these places.

        Args:
            places: rows of PLACE_SCHEMA.
            condition: that finds their pairs.
            values: for the condition.
        """
        by_user = self._touches_by_user(places)
        theirs = by_user.join(places.select(PLACE), on=PLACE, how="semi").select("event_id").unique()
        stored = self._touches.rows(_TOUCHED.format(condition=condition), values)
        both = pl.concat([stored, by_user.join(theirs, on="event_id", how="semi"), self._rows_of(self._touches, "event_id", theirs)])
        # An event may have further pairs by its user that none of these places is in.
        more = self._identified_touches(self._rows_of(self._identified, "event_id", stored.select("event_id").unique()))
        return pl.concat([both, more]).unique(Attribution().row_key, keep="any")

    def _touches_by_user(self, named: pl.DataFrame) -> pl.DataFrame:
        """Pairs of the identified events of these users, in their column `user_id`, with all that they were shown."""
        return self._identified_touches(self._rows_of(self._identified, "user_id", named))

    def _identified_touches(self, identified: pl.DataFrame) -> pl.DataFrame:
        places = self._rows_of(self._places, "user_id", identified)
        return touches_of_identified(identified, places, self._windows)

    def _rows_of(self, table: JournalTable, column: str, named: pl.DataFrame) -> pl.DataFrame:
        """Rows of a table whose column has a value of the same column of `named`."""
        wanted = named[column].drop_nulls().unique().to_list()
        return table.rows_of(column, wanted)

    def _changed_by(self, event_ids: list[str]) -> None:
        self._sql.execute("CREATE TEMP TABLE IF NOT EXISTS changed_events (event_id TEXT PRIMARY KEY)")
        self._sql.execute("DELETE FROM changed_events")
        self._sql.executemany("INSERT INTO changed_events VALUES (?)", [(event_id,) for event_id in event_ids])
        touched = "SELECT DISTINCT date(shown_at / 1000000, 'unixepoch') FROM attribution JOIN changed_events USING (event_id)"
        self._changed([date.fromisoformat(day) for (day,) in self._sql.execute(touched).fetchall()])

    def _changed(self, days: list[date]) -> None:
        upsert = "INSERT INTO changed_days VALUES (?, 1) ON CONFLICT (day) DO UPDATE SET changes = changes + 1"
        self._sql.executemany(upsert, [(day.isoformat(),) for day in days])

    def _seen_surfaces(self, since: datetime) -> list[str]:
        found = self._sql.execute("SELECT DISTINCT surface FROM places WHERE seen_at IS NOT NULL AND shown_at >= ?", (micros(since),))
        return [surface for (surface,) in found if surface is not None]

    def _add(self, added: OutcomeTotals) -> None:
        for table, rows, labels in ((self._list_totals, added.lists, LIST_LABELS), (self._item_totals, added.items, ITEM_LABELS)):
            table.put(pl.concat([table.rows(), rows]).group_by(labels).agg(pl.exclude(labels).sum()))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, transaction(self._sql):
            yield


def _days(rows: pl.DataFrame) -> list[date]:
    return rows.select(pl.col("shown_at").dt.date()).unique().to_series().to_list()
