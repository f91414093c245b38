"""A dataset's typed interactions in DuckDB: how much there is of each, for which items that is enough, and what comes next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from endcap.contracts.signals import VISIT_PREFIX, Signals
from endcap.training.owned_interactions import has_other_signals, owned_interactions
from endcap.training.planning.balance import balanced

_DONE = """
    SELECT hash(user_id) AS who, hash(item_id) AS item, CAST(floor(epoch_us(occurred_at) / 86400e6) AS INTEGER) AS day,
        hash(session_id) AS visit, signal, count(*) AS times
    FROM owned WHERE signal > 0 GROUP BY ALL
"""
_KINDS = """
    SELECT signal, count(*), count(DISTINCT user_id) FILTER (NOT nobody), count(DISTINCT user_id) FILTER (nobody), count(*) FILTER (nobody)
    FROM (SELECT *, starts_with(user_id, $visit) AS nobody FROM owned WHERE signal > 0) GROUP BY signal
"""
_NEXT = """
    SELECT signal, count(*) FROM (
        SELECT user_id, signal, count(*) AS times, max(occurred_at) AS last_at, min(min(occurred_at)) OVER one AS first_at,
            sum(count(*)) OVER one AS all_times
        FROM owned SEMI JOIN trainable ON hash(item_id) = item WHERE signal > 0 AND epoch_us(occurred_at) < $before * 86400e6
        GROUP BY user_id, signal WINDOW one AS (PARTITION BY user_id))
    WHERE all_times >= 2 AND (times >= 2 OR last_at > first_at) GROUP BY signal
"""
_BY_ITEM = "SELECT item, count(DISTINCT who) AS people FROM done WHERE day < $before GROUP BY item"
_COVERED = f"SELECT coalesce(sum(people) FILTER (item IN (FROM trainable)) / sum(people), 0) FROM ({_BY_ITEM})"  # noqa: S608
_ENOUGH = f"SELECT item FROM ({_BY_ITEM}) WHERE people >= $least"  # noqa: S608
_TOGETHER = """
    SELECT (SELECT count(*) FROM (SELECT who FROM done SEMI JOIN trainable USING (item) WHERE day < $before
            GROUP BY who HAVING min(item) <> max(item))),
        (SELECT count(*) FROM (SELECT visit FROM done SEMI JOIN trainable USING (item) WHERE day < $before AND signal IN (1, 2)
            GROUP BY visit HAVING min(item) <> max(item)))
"""
_SEQUENCES = """
    SELECT count(*) FROM (SELECT who FROM done SEMI JOIN trainable USING (item) WHERE day < $before GROUP BY who HAVING sum(times) >= 2)
"""
_VISITS = """
    SELECT count(*) FROM (SELECT visit FROM done GROUP BY visit HAVING min(day) >= $first AND min(day) < $before AND sum(times) >= 2)
"""


@dataclass(frozen=True)
class Kind:
    """How much there is of one type: events, people and visits of nobody known who did it, and events of those visits."""

    events: int = 0
    people: int = 0
    visits: int = 0
    anonymous: int = 0


class SignalLog:
    """Interactions with consent of items of the catalogue, none where there are purchases only.

    `events`, `items` and `taken_off` are in the connection.

    Attributes:
        is_empty: whether there is nothing beside purchases.
        kinds: by code, what there is of each type; those without an event are missing.
        signals: with the weights that are learned with.
        notes: sentences about weights that are not those asked for.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, asked: Signals) -> None:
        self._connection = connection
        self.is_empty = not has_other_signals(connection, asked)
        self.kinds: Mapping[int, Kind] = {}
        self.signals, self.notes = asked, list[str]()
        if not self.is_empty:
            owned = connection.sql(owned_interactions(asked)).set_alias("owned")
            owned.join(connection.table("taken_off"), "event_id", "anti").create("owned")
            connection.sql(_DONE).create("done")
            self.kinds = {code: Kind(*counts) for code, *counts in connection.execute(_KINDS, {"visit": VISIT_PREFIX}).fetchall()}
            self.signals, self.notes = balanced(asked, {code: kind.events for code, kind in self.kinds.items()})

    def next_of(self, before: int) -> dict[int, int]:
        """By code, the people and visits of whom it came after something else before a day, both of items in the table `trainable`."""
        found = dict(self._connection.execute(_NEXT, {"before": before}).fetchall())
        return {code: found.get(code, 0) for code in self.kinds}

    def sequences(self, before: int) -> int:
        """People and visits with two interactions and more before a day, of items in the table `trainable`."""
        return int(self._row(_SEQUENCES, before)[0])

    def visits(self, first: int, before: int) -> int:
        """Visits of two interactions and more that began from a day on and before another."""
        return int(self._connection.execute(_VISITS, {"first": first, "before": before}).fetchall()[0][0])

    def enough(self, before: int, least: Sequence[int]) -> dict[int, tuple[int, float]]:
        """By least number of people and visits, the items with which as many did anything before a day, and their share of all pairs of
        somebody and an item until then.
        """
        counts = [people for _, people in self._connection.execute(_BY_ITEM, {"before": before}).fetchall()]
        total = max(sum(counts), 1)
        kept = {fewest: [people for people in counts if people >= fewest] for fewest in least}
        return {fewest: (len(people), sum(people) / total) for fewest, people in kept.items()}

    def covered(self, before: int) -> float:
        """Share of these pairs that items in the table `trainable` have."""
        return float(self._row(_COVERED, before)[0])

    def take_trainable(self, before: int, least: int) -> None:
        """Have the items of `enough` in the table `trainable`."""
        self._connection.sql(_ENOUGH, params={"before": before, "least": least}).create("trainable")

    def together(self, before: int) -> tuple[int, int]:
        """People and visits with two items of the table `trainable` before a day, and visits with two that were carted or bought."""
        who, visits = self._row(_TOGETHER, before)
        return who, visits

    def _row(self, query: str, before: int) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._connection.execute(query, {"before": before}).fetchall()[0]
        return row
