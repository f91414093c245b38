"""A sink among whose rows a probe's may be: once it is delivered it is read back, and noted."""

from datetime import datetime

import polars as pl

from endcap.core.settings import Settings
from endcap.events.probes.stations import ProbeStations, Station
from endcap.events.stream.subscription import ReadBack, Sink, Subscription
from endcap.features.store.online import OnlineFeatures
from endcap.features.store.open import open_for_requests
from endcap.features.store.probe_row import newest_probe


class ProbedSink:
    """Hands rows on, and notes the probe that the place of delivery has afterwards.

    Args:
        sink: takes the rows.
        read_back: tells when the newest probe there was made.
        stations: where it is noted.
    """

    def __init__(self, sink: Sink, read_back: ReadBack, stations: ProbeStations) -> None:
        self._sink, self._read_back, self._stations = sink, read_back, stations

    def deliver(self, rows: pl.DataFrame) -> None:
        """Take rows; see `Sink`.

        Raises:
            DependencyUnavailable: the place of delivery takes nothing, or does not give it back: all comes again.
        """
        self._sink.deliver(rows)
        made_at = self._read_back() if len(rows) else None
        if made_at is not None:
            self._stations.note(Station.ONLINE_STORE, made_at)


class OnlineReadBack:
    """Reads the probe's row from the online store, on a connection of its own that is opened with the first one.

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
            self._online = OnlineFeatures(open_for_requests(self._settings))
        return newest_probe(self._online)


def probed(subscription: Subscription, stations: ProbeStations, sink: Sink | None = None) -> Sink:
    """The sink of a subscription, which notes probes where rows of theirs go there.

    Args:
        subscription: whose rows are delivered.
        stations: where probes are noted.
        sink: in the place of the subscription's own.
    """
    taken = sink or subscription.sink
    return taken if subscription.probe is None else ProbedSink(taken, subscription.probe.read_back, stations)
