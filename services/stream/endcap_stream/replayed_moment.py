"""How far the present lies from the moment that the served bundle answers as of."""

from datetime import datetime, timedelta

from endcap.core.clock import Clock
from endcap.core.settings import Settings
from endcap.events.stream.bundle_moment import moved_by
from endcap.release.bundle.manifest import read_manifest
from endcap.release.bundle.promotion import model_base_path, served_version


class ReplayedMoment:
    """Recorded data is answered as of its end; what happens now is moved there, so that it looks as new as it is.

    Args:
        settings: all settings.
        clock: the present, UTC.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._data_end: tuple[int, datetime] | None = None
        """Of the version that was served at the last look."""

    def distance(self) -> timedelta:
        """What is taken off a moment of now; nothing where the bundle answers as of now, or none is served.

        Raises:
            BundleInvalid: the served bundle's manifest cannot be read.
        """
        now, served_dir = self._clock(), self._settings.served_dir
        version = served_version(served_dir)
        if version is None:
            return timedelta(0)
        if self._data_end is None or self._data_end[0] != version:
            self._data_end = version, read_manifest(model_base_path(served_dir) / str(version)).data_end
        return moved_by(self._settings.replay_at, self._data_end[1], now)
