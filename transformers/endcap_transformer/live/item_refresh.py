"""Live item updates: a new file is applied beside the requests, and the table it gives takes the old one's place at once."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.item_updates import read_updates
from endcap.catalogue.updated_items import UpdateReport, apply_updates
from endcap.core.log import get_logger
from endcap_transformer.live.file_watch import ANYTHING, LOOK_SECONDS, UNUSABLE, Identity, identity, watch_file, yield_to_requests


@dataclass(frozen=True)
class ServedItems:
    """The item table that answers, and the moment its bundle's values are of."""

    items: ItemTable
    as_of: datetime


@dataclass(frozen=True)
class _Updated:
    """A bundle's table, what updates made of it, and the file that is dealt with; None while one is still to be read."""

    of_bundle: ItemTable
    made: ItemTable
    seen: Identity | None


class ItemRefresh:
    """Keeps the item table as the newest file says; always from the bundle's own table, so that an item which left the file is as before.

    Args:
        path: the file of `endcap.catalogue.item_updates`.
        current: the catalogue that answers, None while there is none.
        on_items: takes the new table; called in the event loop, and only when `current` is still the one it was made from.
        pause: lets the thread of the requests go first.
        on_done: called with each outcome, applied or failed, and the seconds it took.
    """

    def __init__(
        self,
        path: Path,
        current: Callable[[], ServedItems | None],
        on_items: Callable[[ItemTable], None],
        pause: Callable[[], None] = yield_to_requests,
        on_done: Callable[[str, float], None] = lambda _outcome, _seconds: None,
    ) -> None:
        self.path = path
        self._current = current
        self._on_items = on_items
        self._pause = pause
        self._on_done = on_done
        self._log = get_logger("item_refresh")
        self._last_good: pl.DataFrame | None = None
        self._answering: _Updated | None = None
        self._loaded: _Updated | None = None
        self._revision = 0

    def applied_to(self, catalogue: ServedItems) -> ItemTable:
        """The table of a bundle that is being loaded, with the updates on disk, so that it begins with today's stock; blocks.

        Beside a file that cannot be used or went away, it begins with the last good updates.
        """
        seen, made = identity(self.path), None
        try:
            if seen is not None:
                made, _ = self._apply_file(catalogue)
        except ANYTHING as error:  # whatever is wrong with the file, the bundle answers
            seen = None
            self._log.error("item updates refused; the bundle begins with the earlier ones", cause=str(error))
        if made is None and self._last_good is not None:
            made, _ = self._apply(self._last_good, catalogue)
        if made is None:
            return catalogue.items
        made = replace(made, revision=self._revision + 1)
        self._loaded = _Updated(catalogue.items, made, seen)
        return made

    async def look(self) -> UpdateReport | None:
        """Apply the file if it or the bundle is new since the last look; None when there was nothing to do or the file was refused.

        A file that cannot be used is logged once, and the table stays as it is; so it does when the file goes away.
        """
        seen = await asyncio.to_thread(identity, self.path)
        catalogue = self._current()
        if catalogue is None or seen is None:
            return None
        answering = self._followed(catalogue.items)
        if seen == answering.seen:
            return None
        start = time.perf_counter()
        try:
            made, report = await asyncio.to_thread(self._apply_file, replace(catalogue, items=answering.of_bundle))
        except UNUSABLE as error:
            self._answering = replace(answering, seen=seen)
            self._log.error("item updates refused; the earlier ones stay", cause=str(error))
            self._on_done("failed", time.perf_counter() - start)
            return None
        latest = self._current()
        if latest is None or latest.items is not catalogue.items:
            return None  # another bundle answers by now; the next look starts from its table
        self._revision += 1
        made = replace(made, revision=self._revision)
        self._answering = _Updated(answering.of_bundle, made, seen)
        self._on_items(made)
        self._on_done("applied", time.perf_counter() - start)
        self._say(report)
        return report

    def _followed(self, items: ItemTable) -> _Updated:
        """What became of the bundle whose table answers; it may be another one than at the last look."""
        if self._loaded is not None and items is self._loaded.made:
            self._answering, self._loaded = self._loaded, None
            self._revision = items.revision
        elif self._answering is None or (items is not self._answering.made and items is not self._answering.of_bundle):
            self._answering = _Updated(items, items, None)
        return self._answering

    def _apply_file(self, catalogue: ServedItems) -> tuple[ItemTable, UpdateReport]:
        updates = read_updates(self.path)
        applied = self._apply(updates, catalogue)
        self._last_good = updates
        return applied

    def _apply(self, updates: pl.DataFrame, catalogue: ServedItems) -> tuple[ItemTable, UpdateReport]:
        return apply_updates(catalogue.items, updates, newer_than=catalogue.as_of, pause=self._pause)

    def _say(self, report: UpdateReport) -> None:
        counts = {"applied": report.applied, "unknown": report.unknown, "outdated": report.outdated}
        if report.refused:
            self._log.warning("item updates: rows refused", **counts, refused=dict(report.refused))
        else:
            self._log.info("item updates applied", **counts)


async def watch_item_updates(refresh: ItemRefresh, look_s: float = LOOK_SECONDS) -> None:
    """Keep the item table as the file says; runs until it is cancelled."""
    await watch_file(refresh.path, refresh.look, look_s)
