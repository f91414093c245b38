"""Visits on their way into the online store."""

from math import ceil

import polars as pl

from endcap.core.clock import Clock
from endcap.core.settings import Settings
from endcap.features.store.names import SESSION_COLUMNS, SESSION_SUMMARY
from endcap.features.store.open import open_for_sessions
from endcap.features.store.packed_rows import BothForms
from endcap.features.store.packed_views import SESSION_PACKED
from endcap_stream.replayed_moment import ReplayedMoment

MOMENTS = "session_occurred_at"


class SessionSink:
    """Writes visits to the online store, moved to the moment that the bundle answers as of.

    Args:
        settings: all settings.
        moment: how far they are moved.
        clock: the present, UTC: of two rows of a visit the store keeps the one that was written later.
    """

    def __init__(self, settings: Settings, moment: ReplayedMoment, clock: Clock) -> None:
        self._settings, self._moment, self._clock = settings, moment, clock
        self._online: BothForms | None = None

    def deliver(self, rows: pl.DataFrame) -> None:
        """Write visits; see `Sink`.

        Raises:
            DependencyUnavailable: there is no feature store yet, or it does not take them.
            InvalidInput: its configuration is wrong.
        """
        if self._online is None:
            self._online = BothForms(open_for_sessions(self._settings), SESSION_PACKED)
        if rows.is_empty():
            return
        # Seconds are whole: rounded up, so that nothing is of after the moment that the bundle answers as of.
        distance = ceil(self._moment.distance().total_seconds())
        moved = rows.with_columns(pl.col(MOMENTS).list.eval(pl.element() - distance))
        self._online.write(moved["session_id"].to_list(), moved.select(*SESSION_COLUMNS, *SESSION_SUMMARY).to_dicts(), self._clock())
