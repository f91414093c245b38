"""What the events of a dataset say of it as a whole: their time range and their currency."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from endcap.core.errors import DataRejected


@dataclass(frozen=True)
class EventFacts:
    """`currency` is None when no event has a price."""

    first_event_at: datetime
    last_event_at: datetime
    currency: str | None


def read_event_facts(events: Path) -> EventFacts:
    """Read the facts from a table of events.

    Raises:
        DataRejected: there are no events, or their prices are in more than one currency.
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        first, last, currencies = connection.execute(
            "SELECT min(occurred_at), max(occurred_at), list(DISTINCT currency) FILTER (currency IS NOT NULL) FROM read_parquet(?)",
            [str(events)],
        ).fetchone() or (None, None, None)
    if first is None or last is None:
        raise DataRejected("there are no good events", field="events", fix="give at least one event that fits the contract")
    if currencies and len(currencies) > 1:
        raise DataRejected(
            "prices are in more than one currency", field="events", value=sorted(currencies), fix="convert them to one before the import"
        )
    return EventFacts(first, last, currencies[0] if currencies else None)
