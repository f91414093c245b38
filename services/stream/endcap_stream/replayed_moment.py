"""How far the present lies from the moment that the served bundle answers as of."""

from datetime import datetime, timedelta

from endcap.core.clock import Clock
from endcap.core.settings import Settings
from endcap.events.stream.bundle_moment import moved_by
from endcap.release.bundle.served_bundles import open_served_bundles


class ReplayedMoment:
    """Recorded data is answered as of its end; what happens now is moved there, so that it looks as new as it is.

    Args:
        settings: all settings.
        clock: the present, UTC.

    Raises:
        InvalidInput: the setting of the store is no place for bundles.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._bundles = open_served_bundles(settings)
        self._data_end: tuple[int, datetime] | None = None
        """Of the version that was served at the last look."""

    def distance(self) -> timedelta:
        """What is taken off a moment of now; nothing where the bundle answers as of now, or none is served.

        Raises:
            BundleInvalid: the served bundle's manifest cannot be read.
            DependencyUnavailable: which bundle is served cannot be known now, or the store does not answer.
        """
        now, version = self._clock(), self._bundles.version()
        if version is None:
            return timedelta(0)
        if self._data_end is None or self._data_end[0] != version:
            self._data_end = version, self._bundles.manifest(version).data_end
        return moved_by(self._settings.replay_at, self._data_end[1], now)
