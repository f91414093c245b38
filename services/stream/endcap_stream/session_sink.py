"""Visits on their way into the online store."""

from math import ceil
from typing import TYPE_CHECKING

import polars as pl

from endcap.core.clock import Clock
from endcap.core.settings import Settings
from endcap.features.store.open import open_for_sessions
from endcap.features.store.push import push_session_rows
from endcap_stream.replayed_moment import ReplayedMoment

if TYPE_CHECKING:
    from feast import FeatureStore

MOMENTS = "session_occurred_at"


class SessionSink:
    """Pushes visits to the feature store, moved to the moment that the bundle answers as of.

    Args:
        settings: all settings.
        moment: how far they are moved.
        clock: the present, UTC: of two rows of a visit the store keeps the one that was pushed later.
    """

    def __init__(self, settings: Settings, moment: ReplayedMoment, clock: Clock) -> None:
        self._settings, self._moment, self._clock = settings, moment, clock
        self._store: FeatureStore | None = None

    def deliver(self, rows: pl.DataFrame) -> None:
        """Push visits; see `Sink`.

        Raises:
            DependencyUnavailable: there is no feature store yet, or it does not take them.
            InvalidInput: its configuration is wrong.
        """
        if self._store is None:
            self._store = open_for_sessions(self._settings)
        if rows.is_empty():
            return
        # Seconds are whole: rounded up, so that nothing is of after the moment that the bundle answers as of.
        distance = ceil(self._moment.distance().total_seconds())
        moved = rows.with_columns(pl.col(MOMENTS).list.eval(pl.element() - distance))
        push_session_rows(self._store, moved, self._clock())
