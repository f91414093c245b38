"""Ids of customers that have more events than a person can: a placeholder for guests, a till, a test account."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

SHARE_MAX = 0.05
"""Of all events that name a customer, what one may have before it is looked at."""

TIMES_MAX = 10
"""How many times the events of the busiest customer below `SHARE_MAX` one may have; in a small shop a few customers are most of it."""


@dataclass(frozen=True)
class BusyPerson:
    """`share` is of all events that name a customer."""

    user_id: str
    events: int
    share: float


def busy_people(events: Path) -> list[BusyPerson]:
    """The ids above `SHARE_MAX` that also have more than `TIMES_MAX` times the events of the busiest one below it, busiest first.

    Where all ids are above, there is nobody to compare them with, and none is implausible.

    Args:
        events: a table of events.
    """
    with duckdb.connect() as connection:
        counted = connection.execute(
            """
            WITH people AS (SELECT user_id, count(*) AS events FROM read_parquet(?) WHERE user_id IS NOT NULL GROUP BY user_id),
            shares AS (SELECT *, events / sum(events) OVER () AS share FROM people)
            SELECT user_id, events, share FROM shares
            WHERE share > ? AND events > ? * (SELECT max(events) FROM shares WHERE share <= ?)
            ORDER BY events DESC, user_id
            """,
            [str(events), SHARE_MAX, TIMES_MAX, SHARE_MAX],
        ).fetchall()
    return [BusyPerson(*row) for row in counted]
