"""What the stream runs: a function, the consent that its events need, and where its rows go."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import polars as pl

from endcap.core.errors import DependencyUnavailable
from endcap.events.stream.function import StreamFunction


class RowsForgotten(DependencyUnavailable):
    """A place no longer has rows that it took, as a store that came back empty; all rows that still hold are to come again."""


class Sink(Protocol):
    """Where rows go."""

    def deliver(self, rows: pl.DataFrame) -> None:
        """Take rows, each in the place of an earlier one of the same key.

        The same rows may come again, after a process was killed or when the delivery was not noted: that changes nothing. What is raised
        makes them wait and come again, replaced by newer ones of their keys. It is called in a thread of the sink's own, first of all
        without rows, so that a sink opens what it needs.

        Args:
            rows: columns of the function's `row_schema`.
        """


class NeededConsent(StrEnum):
    """What a customer must have allowed for an event to reach a function."""

    PERSONALISATION = "consent"
    ANALYTICS = "consent_analytics"
    NONE = "none"


ReadBack = Callable[[], datetime | None]
"""When the newest probe was made whose row was delivered, UTC; None where there is none. Raises where the place of delivery is away."""


@dataclass(frozen=True, slots=True)
class ProbeRow:
    """The row by which a probe goes the way of a function's rows.

    Attributes:
        of: makes it of the moment at which the probe was made, UTC: columns of the function's `row_schema`.
        key: its value of the first column of the function's `row_key`, which no event has.
        read_back: reads it where it was delivered.
    """

    of: Callable[[datetime], pl.DataFrame]
    key: str
    read_back: ReadBack


@dataclass(frozen=True, slots=True)
class Subscription:
    """One function of the stream.

    Attributes:
        function: what is computed.
        sink: where its rows go.
        consent: of its events; a function of features needs personalisation.
        deliver_every: seconds between two deliveries to a sink that pays for each; 0 for at once.
        probe: makes a row of a probe; None where probes do not go.
    """

    function: StreamFunction
    sink: Sink
    consent: NeededConsent = NeededConsent.PERSONALISATION
    deliver_every: float = 0.0
    probe: ProbeRow | None = None


def allowed(events: pl.DataFrame, consent: NeededConsent) -> pl.DataFrame:
    """Those events that a function with this need of consent may see."""
    return events if consent is NeededConsent.NONE else events.filter(pl.col(consent.value))
