"""Live item updates: a new file is applied beside the requests, and the table it gives takes the old one's place at once."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.item_updates import read_updates
from endcap.catalogue.updated_items import UpdateReport, apply_updates
from endcap.errors import EndcapError
from endcap.log import get_logger

LOOK_SECONDS = 1.0
PAUSE_SECONDS = 0.0005
"""Between two pieces of work: long enough for the thread of the requests to take the interpreter back, which it cannot ask for sooner
than after five milliseconds."""


@dataclass(frozen=True)
class Catalogue:
    """The item table that answers, and the moment its bundle's values are of."""

    items: ItemTable
    as_of: datetime


@dataclass(frozen=True)
class _Loaded:
    """A bundle's table and what became of it before the bundle answered."""

    of_bundle: ItemTable
    made: ItemTable
    seen: tuple[int, int, int]


class ItemRefresh:
    """Keeps the item table as the newest file says; always from the bundle's own table, so that an item which left the file is as before.

    Args:
        path: the file of `endcap.catalogue.item_updates`.
        current: the catalogue that answers, None while there is none.
        on_items: takes the new table; called in the event loop, and only when `current` is still the one it was made from.
        pause: lets the thread of the requests go first.
        on_done: told each outcome, applied or failed, and the seconds it took.
    """

    def __init__(
        self,
        path: Path,
        current: Callable[[], Catalogue | None],
        on_items: Callable[[ItemTable], None],
        pause: Callable[[], None] = lambda: time.sleep(PAUSE_SECONDS),
        on_done: Callable[[str, float], None] = lambda _outcome, _seconds: None,
    ) -> None:
        self._path = path
        self._current = current
        self._on_items = on_items
        self._pause = pause
        self._on_done = on_done
        self._log = get_logger("item_refresh")
        self._of_bundle: ItemTable | None = None
        self._made: ItemTable | None = None
        self._seen: tuple[int, int, int] | None = None
        self._revision = 0
        self._loaded: _Loaded | None = None

    def applied_to(self, catalogue: Catalogue) -> ItemTable:
        """The table of a bundle that is being loaded, with the updates on disk, so that it begins with today's stock; blocks."""
        seen = _identity(self._path)
        if seen is None:
            return catalogue.items
        try:
            made, _ = self._apply(catalogue.items, catalogue.as_of)
        except EndcapError as error:
            self._log.error("item updates refused; the bundle begins with its own values", cause=str(error))
            return catalogue.items
        made = replace(made, revision=self._revision + 1)
        self._loaded = _Loaded(catalogue.items, made, seen)
        return made

    async def look(self) -> UpdateReport | None:
        """Apply the file if it or the bundle is new since the last look; None when there was nothing to do or the file was refused.

        A file that cannot be used is logged once, and the table stays as it is; so it does when the file goes away.
        """
        catalogue, seen = self._current(), _identity(self._path)
        if catalogue is None or seen is None:
            return None
        if self._loaded is not None and catalogue.items is self._loaded.made:
            self._of_bundle, self._made, self._seen = self._loaded.of_bundle, self._loaded.made, self._loaded.seen
            self._revision, self._loaded = self._loaded.made.revision, None
        elif self._of_bundle is None or (catalogue.items is not self._made and catalogue.items is not self._of_bundle):
            self._of_bundle, self._made, self._seen = catalogue.items, None, None
        if seen == self._seen:
            return None
        self._seen, start = seen, time.perf_counter()
        try:
            made, report = await asyncio.to_thread(self._apply, self._of_bundle, catalogue.as_of)
        except EndcapError as error:
            self._log.error("item updates refused; the earlier ones stay", cause=str(error))
            self._on_done("failed", time.perf_counter() - start)
            return None
        latest = self._current()
        if latest is None or latest.items is not catalogue.items:
            return None  # another bundle answers by now; the next look starts from its table
        self._revision += 1
        self._made = replace(made, revision=self._revision)
        self._on_items(self._made)
        self._on_done("applied", time.perf_counter() - start)
        self._say(report)
        return report

    def _apply(self, items: ItemTable, as_of: datetime) -> tuple[ItemTable, UpdateReport]:
        return apply_updates(items, read_updates(self._path), newer_than=as_of, pause=self._pause)

    def _say(self, report: UpdateReport) -> None:
        counts = {"applied": report.applied, "unknown": report.unknown, "outdated": report.outdated}
        if report.refused:
            self._log.warning("item updates: rows refused", **counts, refused=dict(report.refused))
        else:
            self._log.info("item updates applied", **counts)


async def watch_item_updates(refresh: ItemRefresh, look_s: float = LOOK_SECONDS) -> None:
    """Look for a new file for ever; runs until it is cancelled."""
    while True:
        try:
            await refresh.look()
        except Exception as error:  # whatever is wrong with one file, requests and the next file go on
            get_logger("item_refresh").error("item updates could not be applied", cause=repr(error))
        await asyncio.sleep(look_s)


def _identity(path: Path) -> tuple[int, int, int] | None:
    """Which file it is; another one after each replacement."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
