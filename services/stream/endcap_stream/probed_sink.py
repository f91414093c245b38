"""A sink among whose rows a probe's may be: once it is delivered it is read back, and noted."""

from datetime import datetime

import polars as pl

from endcap.core.settings import Settings
from endcap.events.probes.stations import ProbeStations, Station
from endcap.events.stream.subscription import ProbeRow, Sink, Subscription
from endcap.features.store.online import OnlineFeatures
from endcap.features.store.open import open_for_sessions
from endcap.features.store.probe_row import newest_probe


class ProbedSink:
    """Hands rows on; once a probe's is among them, what the place of delivery then has is read back and noted.

    Args:
        sink: takes the rows.
        column: of the rows, in which a probe's row has a key of its own.
        probe: that key, and what reads the row back.
        stations: where it is noted.
    """

    def __init__(self, sink: Sink, column: str, probe: ProbeRow, stations: ProbeStations) -> None:
        self._sink, self._column, self._probe, self._stations = sink, column, probe, stations

    def deliver(self, rows: pl.DataFrame) -> None:
        """Take rows; see `Sink`.

        Raises:
            DependencyUnavailable: the place of delivery takes nothing, or does not give it back: all comes again.
        """
        self._sink.deliver(rows)
        if (rows[self._column] == self._probe.key).any() and (made_at := self._probe.read_back()) is not None:
            self._stations.note(Station.ONLINE_STORE, made_at)


class OnlineReadBack:
    """Reads the probe's row from the online store, on a connection of its own that is opened with the first one.

    It has the patience of who writes there, not of a request: rows that have arrived need not come again because an answer is slow.

    Args:
        settings: where the store is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._online: OnlineFeatures | None = None

    def __call__(self) -> datetime | None:
        """When the probe there was made, UTC; None where there is none.

        Raises:
            DependencyUnavailable: the store does not answer.
        """
        if self._online is None:
            self._online = OnlineFeatures(open_for_sessions(self._settings))
        return newest_probe(self._online)


def probed(subscription: Subscription, stations: ProbeStations, sink: Sink | None = None) -> Sink:
    """The sink of a subscription, which notes probes where rows of theirs go there.

    Args:
        subscription: whose rows are delivered.
        stations: where probes are noted.
        sink: in the place of the subscription's own.
    """
    taken = sink or subscription.sink
    if subscription.probe is None:
        return taken
    return ProbedSink(taken, subscription.function.row_key[0], subscription.probe, stations)
