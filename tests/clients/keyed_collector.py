"""A collector process with keys, whose log a test reads."""

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from endcap.core.ports import free_port
from endcap.events.dead_letters.letters import letter_table
from endcap.events.log.reader import read_events
from endcap.events.log.writer import FILE_SUFFIX
from tests.endcap.events.sent_events import CUSTOM_TYPES
from tests.services.collector.collector_process import CollectorProcess
from tests.services.collector.running_collector import key_file

BROWSER_KEY, SLOW_KEY, SERVER_KEY = "browser-key", "slow-key", "server-key"


class KeyedCollector:
    """A collector that can go down and come up again under the same address.

    Args:
        home: its folder.
        origins: of pages that may send.
    """

    def __init__(self, home: Path, origins: Sequence[str] = ()) -> None:
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        (home / "types.yaml").write_text(CUSTOM_TYPES)
        (home / "keys.yaml").write_text(key_file(_keys(origins)))
        self._settings = {
            "ENDCAP_COLLECTOR__KEYS_FILE": str(home / "keys.yaml"),
            "ENDCAP_EVENTS__CUSTOM_TYPES_FILE": str(home / "types.yaml"),
        }
        self.port = free_port()
        self._process: CollectorProcess | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/events"

    def start(self) -> None:
        """Come up, unless it is up."""
        if self._process is None:
            self._process = CollectorProcess(self.home, self._settings, self.port)

    def kill(self) -> None:
        if self._process is not None:
            self._process.end(signal.SIGKILL)
            self._process = None

    def stored(self, store_id: str | None = None) -> pl.DataFrame:
        """The log, or what of it has a mark in `store_id`, in the order of its events."""
        events = read_events(self.home / "events")
        chosen = events if store_id is None else events.filter(pl.col("store_id") == store_id)
        return chosen.collect().sort("occurred_at", maintain_order=True)

    def lines(self, store_id: str) -> list[dict[str, Any]]:
        """The same as it is written, which takes less time to look at again and again."""
        mark = f'"store_id":"{store_id}"'
        files = (self.home / "events").glob(f"*{FILE_SUFFIX}*")
        return [
            json.loads(line)
            for file in files
            for line in file.read_text(encoding="utf-8").split("\n")
            if line.endswith("}") and mark in line
        ]

    def letters(self) -> pl.DataFrame:
        return letter_table(self.home / "dead_letters")


def _keys(origins: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {
        BROWSER_KEY: {"name": "web", "scope": "browser", "origins": list(origins)},
        SLOW_KEY: {"name": "slow", "scope": "browser", "origins": list(origins), "events_per_second": 1, "burst": 2},
        SERVER_KEY: {"name": "till", "scope": "server"},
    }


@contextmanager
def keyed_collector(home: Path, origins: Sequence[str] = ()) -> Iterator[KeyedCollector]:
    """One that runs, until it is no longer needed."""
    collector = KeyedCollector(home, origins)
    collector.start()
    try:
        yield collector
    finally:
        collector.kill()
