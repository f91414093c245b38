"""The versions under a model base path: which are loaded, and when one comes or goes.

As TensorFlow Serving's "latest" policy does, the newest version serves; an older one stays until the newer has been serving for a
while and the older's folder is gone, so that clients which name the version have time to move.
"""

import threading
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path

from endcap.core.log import get_logger
from endcap_model_server.loading import LoadedVersion

RESCAN_SECONDS = 1.0
RETIRE_AFTER_SECONDS = 30.0


class VersionState(IntEnum):
    """ModelVersionStatus.State of TensorFlow Serving."""

    LOADING = 20
    AVAILABLE = 30
    END = 50


class ModelVersions:
    """Loads what appears under a base path and forgets what has gone; safe to ask from many threads.

    Args:
        name: the model's name in requests.
        base_path: its children that are numbers are versions.
        load: reads one version folder.
        clock: monotonic seconds.
    """

    def __init__(self, name: str, base_path: Path, load: Callable[[Path], LoadedVersion], clock: Callable[[], float]) -> None:
        self.name = name
        self.base_path = base_path
        self._load = load
        self._clock = clock
        self._log = get_logger("model_server")
        self._loaded: dict[int, LoadedVersion] = {}
        self._states: dict[int, tuple[VersionState, str]] = {}
        self._newest_since = clock()
        self._rescanning = threading.Lock()
        self._stopped = threading.Event()

    def get(self, version: int | None) -> LoadedVersion | None:
        """A loaded version, the newest when none is named."""
        loaded = self._loaded
        if version is not None:
            return loaded.get(version)
        return loaded[max(loaded)] if loaded else None

    def states(self) -> dict[int, tuple[VersionState, str]]:
        """State and error message of every version seen, newest first."""
        return dict(sorted(self._states.items(), reverse=True))

    def rescan(self) -> None:
        """Load new versions, retire old ones."""
        with self._rescanning:
            present = self._present()
            for version in sorted(set(present) - set(self._states)):
                self._take_up(version, present[version])
            for version in set(self._states) - set(present) - set(self._loaded):
                del self._states[version]
            self._retire(set(present))

    def watch(self) -> None:
        """Rescan until `stop`; for a thread of its own."""
        while not self._stopped.wait(RESCAN_SECONDS):
            try:
                self.rescan()
            except OSError as error:  # a folder that went while it was looked at; the next look finds it gone
                self._log.warning("could not look at the versions", error=str(error))

    def stop(self) -> None:
        self._stopped.set()

    def _present(self) -> dict[int, Path]:
        if not self.base_path.is_dir():
            return {}
        return {int(path.name): path for path in self.base_path.iterdir() if path.name.isdigit() and (path / "saved_model.pb").is_file()}

    def _take_up(self, version: int, path: Path) -> None:
        self._states = {**self._states, version: (VersionState.LOADING, "")}
        try:
            loaded = self._load(path)
        except Exception as error:  # a damaged model raises whatever it likes, and the versions that are loaded go on
            self._states = {**self._states, version: (VersionState.END, str(error))}
            self._log.error("version not loaded", version=version, error=str(error))
            return
        self._loaded = {**self._loaded, version: loaded}
        self._states = {**self._states, version: (VersionState.AVAILABLE, "")}
        self._newest_since = self._clock()
        self._log.info("version serving", version=version, signatures=sorted(loaded.signatures))

    def _retire(self, present: set[int]) -> None:
        if not self._loaded or self._clock() - self._newest_since < RETIRE_AFTER_SECONDS:
            return
        keep = {version for version in self._loaded if version in present} or {max(self._loaded)}
        for version in set(self._loaded) - keep:
            self._log.info("version retired", version=version)
            self._states = {known: state for known, state in self._states.items() if known != version}  # its folder may come back
        self._loaded = {version: loaded for version, loaded in self._loaded.items() if version in keep}
