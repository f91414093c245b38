"""One connection to the journal of outcomes: its tables, and what is read of them."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from endcap.events.outcomes.attribution import TOUCH_SCHEMA, Attribution
from endcap.events.outcomes.identified import IDENTIFIED_SCHEMA, touches_of_identified
from endcap.events.outcomes.journal_tables import JournalTable
from endcap.events.outcomes.orders import ORDER_SCHEMA
from endcap.events.outcomes.outcome_counters import ITEM_LABELS, ITEM_TOTALS_SCHEMA, LIST_LABELS, LIST_TOTALS_SCHEMA
from endcap.events.outcomes.places import PLACE, PLACE_SCHEMA
from endcap.events.outcomes.resolution import Journal
from endcap.events.outcomes.windows import Windows

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


class JournalConnection:
    """SQLite in WAL mode: what one connection reads is as of its transaction's begin, whatever others write meanwhile.

    Args:
        file: the journal; made when it is not there.
        windows: how long after an impression an event counts.
    """

    def __init__(self, file: Path, windows: Windows) -> None:
        self._windows = windows
        self.sql = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self.sql.execute("PRAGMA journal_mode = WAL")
        self.sql.execute("PRAGMA synchronous = NORMAL")
        self.places = JournalTable(self.sql, "places", PLACE_SCHEMA, PLACE, ["shown_at", "user_id"])
        self.touches = JournalTable(self.sql, "attribution", TOUCH_SCHEMA, Attribution().row_key, ["shown_at", "request_id"])
        self.orders = JournalTable(self.sql, "orders", ORDER_SCHEMA, ("event_id",), ["user_id", "session_id", "order_id"])
        self.identified = JournalTable(self.sql, "identified", IDENTIFIED_SCHEMA, ("event_id",), ["user_id"])
        self.lists = JournalTable(self.sql, "lists", _LISTS_SCHEMA, ("request_id",))
        self.sql.execute("CREATE INDEX IF NOT EXISTS lists_waiting ON lists (shown_at) WHERE NOT is_counted")
        self.list_totals = JournalTable(self.sql, "list_totals", LIST_TOTALS_SCHEMA, LIST_LABELS)
        self.item_totals = JournalTable(self.sql, "item_totals", ITEM_TOTALS_SCHEMA, ITEM_LABELS)
        self.sql.execute("CREATE TABLE IF NOT EXISTS changed_days (day TEXT PRIMARY KEY, changes INTEGER NOT NULL)")

    def close(self) -> None:
        self.sql.close()

    def contested_orders(self) -> pl.DataFrame:
        """Returns, and the purchases that one of them could mean."""
        return self.orders.rows(_CONTESTED)

    def shown_within(self, begin_us: int, end_us: int, orders: pl.DataFrame) -> Journal:
        """What is known of the lists that were shown from `begin_us` to before `end_us`, microseconds since 1970.

        Args:
            begin_us, end_us: as above.
            orders: the contested ones, which are the same for all lists.
        """
        shown, between = "shown_at >= ? AND shown_at < ?", (begin_us, end_us)
        places = self.places.rows(shown, between)
        return Journal(places, self.touches_of(places, shown, between), orders)

    def touches_of(self, places: pl.DataFrame, condition: str, values: Sequence[object] = ()) -> pl.DataFrame:
        """All pairs of each event that has one with these places.

        Args:
            places: rows of PLACE_SCHEMA.
            condition: that finds their pairs.
            values: for the condition.
        """
        by_user = self.touches_by_user(places)
        theirs = by_user.join(places.select(PLACE), on=PLACE, how="semi").select("event_id").unique()
        stored = self.touches.rows(_TOUCHED.format(condition=condition), values)
        both = pl.concat([stored, by_user.join(theirs, on="event_id", how="semi"), self.rows_of(self.touches, "event_id", theirs)])
        # An event may have further pairs by its user that none of these places is in.
        more = self._identified_touches(self.rows_of(self.identified, "event_id", stored.select("event_id").unique()))
        return pl.concat([both, more]).unique(Attribution().row_key, keep="any")

    def touches_by_user(self, named: pl.DataFrame) -> pl.DataFrame:
        """Pairs of the identified events of these users, in their column `user_id`, with all that they were shown."""
        return self._identified_touches(self.rows_of(self.identified, "user_id", named))

    def _identified_touches(self, identified: pl.DataFrame) -> pl.DataFrame:
        places = self.rows_of(self.places, "user_id", identified)
        return touches_of_identified(identified, places, self._windows)

    def rows_of(self, table: JournalTable, column: str, named: pl.DataFrame) -> pl.DataFrame:
        """Rows of a table whose column has a value of the same column of `named`."""
        wanted = named[column].drop_nulls().unique().to_list()
        return table.rows_of(column, wanted)
