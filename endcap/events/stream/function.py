"""The seam between what is computed of events and what drives it: one pure function a concern."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

import polars as pl

KEY = "key"
"""Column of the key that a row of state belongs to: a session, a person, an item."""

DUE_AT = "due_at"


@dataclass(frozen=True, slots=True)
class Instant:
    """Where the stream stands.

    Attributes:
        present: the newest moment that is known of, UTC: the clock's, or the newest event's where that is later. In a whole log its end.
        watermark: no event from before it will come any more; UTC.
    """

    present: datetime
    watermark: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What one step gives.

    Attributes:
        state: the function's `state_schema`; replaces all rows of the keys that were stepped, so that a key without rows is forgotten.
        rows: what the function says now, of the columns of `row_schema`; a row replaces an earlier one of the same `row_key`.
        due: `key` and `due_at` (UTC): when a key is to be stepped again, should no event of it come before. Keys that are not named wait
            for events only.
        forwarded: events that follow from these for other keys of the same function, as `keyed` gives them: stepped next, as of the same
            instant and stored together, by `endcap.events.stream.forwarding`. Of one key and id the one forwarded last holds.
    """

    state: pl.DataFrame
    rows: pl.DataFrame
    due: pl.DataFrame
    forwarded: pl.DataFrame = field(default_factory=pl.DataFrame)


class StreamFunction(Protocol):
    """One concern: sessions, recent items, counters, outcomes, item changes.

    It is pure, and what it says does not hang on how events are cut into batches, nor on their order within the watermark: the state of a
    key is a function of the set of its events. So the same function gives the features of a whole log in one step from an empty state.

    What drives it sees to it that an event comes once (by `event_id`), that none comes from before the watermark, and that state, due
    moments, rows and the place in the log are stored together.
    """

    @property
    def name(self) -> str:
        """Names its state and its metrics; never changes."""

    @property
    def state_schema(self) -> pl.Schema:
        """Columns of the state, `key` first; flat types that SQLite has: text, integers, floats, booleans, UTC moments in microseconds."""

    @property
    def row_schema(self) -> pl.Schema:
        """Columns of what it says."""

    @property
    def row_key(self) -> tuple[str, ...]:
        """Columns of `row_schema` by which a row is replaced."""

    def keyed(self, events: pl.DataFrame) -> pl.DataFrame:
        """The events that concern it with the column `key`; one that concerns several keys stands once for each.

        Args:
            events: columns of the contract `Event`.
        """

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:
        """What is known after these events.

        Args:
            state: rows of the keys that have events, or are due.
            events: as `keyed` gives them, of any order; none for keys that are due.
            at: where the stream stands.
        """


LINKED = "linked"
"""Column of a key that another one links to."""


@runtime_checkable
class LinkedStreamFunction(StreamFunction, Protocol):
    """One whose keys concern each other: a visit that belongs to a person from some moment on.

    What becomes of a key follows from its own rows and events, from those of the keys that link to it, and from those of keys that have an
    event with it; what a step says of a key without all of these may be wrong. So keys may be stepped apart as long as each has these
    beside it. It forwards nothing.
    """

    def linked(self, state: pl.DataFrame) -> pl.DataFrame:
        """Keys whose rows of state a step needs beside those of the keys that have events; they are stepped along.

        Args:
            state: rows of the keys that have events.

        Returns:
            `key` and `linked`: each pair once, which of the keys links to which.
        """

    def key_of(self, rows: pl.DataFrame) -> pl.Series:
        """Text [n]: the key that each row is of.

        Args:
            rows: columns of `row_schema`, [n].
        """


def linked_keys(function: StreamFunction, state: pl.DataFrame) -> list[str]:
    """Keys to load beside those of the events; none for most functions."""
    if not isinstance(function, LinkedStreamFunction):
        return []
    return sorted(set(function.linked(state)[LINKED]) - set(state[KEY]))


def no_due() -> pl.DataFrame:
    """For functions that wait for events only."""
    return pl.DataFrame(schema={KEY: pl.String(), DUE_AT: pl.Datetime("us", "UTC")})


def of_keys(rows: pl.DataFrame, keys: pl.Series) -> pl.DataFrame:
    """Rows of some keys."""
    return rows.filter(pl.col(KEY).is_in(keys.implode()))


def without_keys(rows: pl.DataFrame, keys: pl.Series) -> pl.DataFrame:
    """Rows of all other keys."""
    return rows.filter(~pl.col(KEY).is_in(keys.implode()))
