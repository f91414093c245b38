"""The live trending table while bundles are served: a new file takes effect at once, beside the requests."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from endcap.catalogue.changes.trend_file import read_trends
from endcap.catalogue.vocabulary import Vocabulary
from endcap.core.log import get_logger
from endcap.engine.retrieval.shop_trends import ShopTrends
from endcap_transformer.live.file_watch import ANYTHING, LOOK_SECONDS, UNUSABLE, Identity, identity, watch_file


@dataclass(frozen=True)
class TrendBase:
    """What live counts are put in the place of.

    Attributes:
        own: the bundle's tables.
        ids: of its items.
        as_of: the moment that its tables are of, UTC.
        version: of the bundle.
    """

    own: ShopTrends
    ids: Vocabulary
    as_of: datetime
    version: int


class TrendWatch:
    """Keeps what sells as the newest file says. A file that cannot be used is refused whole, and the earlier counts stay.

    They stay too when the file goes away.

    Args:
        path: the file of `endcap.catalogue.changes.trend_file`.
        purchases_min: of a region, below which the bundle's tables hold.
        current: what answers, None while nothing does.
        on_trends: takes new ones; called in the event loop, and only while the bundle is the one that they were made for.
        on_done: called with each outcome, applied or failed.
    """

    def __init__(
        self,
        path: Path,
        purchases_min: float,
        current: Callable[[], TrendBase | None],
        on_trends: Callable[[ShopTrends], None],
        on_done: Callable[[str], None] = lambda _outcome: None,
    ) -> None:
        self.path = path
        self._purchases_min = purchases_min
        self._current = current
        self._on_trends = on_trends
        self._on_done = on_done
        self._log = get_logger("trends")
        self._last_good: pl.DataFrame | None = None
        self._seen: tuple[Identity, int] | None = None

    def applied_to(self, base: TrendBase) -> ShopTrends:
        """What sells for a bundle that is being loaded, with the file on disk, or the last good one; blocks."""
        seen = identity(self.path)
        try:
            if seen is not None:
                self._last_good = read_trends(self.path)
                self._seen = (seen, base.version)
        except ANYTHING as error:  # whatever is wrong with the file, the bundle answers
            self._log.error("trends refused; the bundle begins with the earlier ones", cause=str(error))
        return base.own if self._last_good is None else self._made(self._last_good, base)

    async def look(self) -> ShopTrends | None:
        """Take the file up if it or the bundle is new since the last look; None when there was nothing to do or the file was refused."""
        seen = await asyncio.to_thread(identity, self.path)
        base = self._current()
        if base is None or seen is None or self._seen == (seen, base.version):
            return None
        try:
            rows = await asyncio.to_thread(read_trends, self.path)
        except UNUSABLE as error:
            self._seen = (seen, base.version)
            self._log.error("trends refused; the earlier ones stay", cause=str(error))
            self._on_done("failed")
            return None
        made = await asyncio.to_thread(self._made, rows, base)
        latest = self._current()
        if latest is None or latest.version != base.version:
            return None  # another bundle answers by now; the next look makes them for it
        self._last_good, self._seen = rows, (seen, base.version)
        self._on_trends(made)
        self._on_done("applied")
        self._log.info("trends applied", rows=len(rows), segments=len(made.live_segments))
        return made

    def _made(self, rows: pl.DataFrame, base: TrendBase) -> ShopTrends:
        return base.own.with_live(rows, base.ids, newer_than=base.as_of, purchases_min=self._purchases_min)


async def watch_trends(watch: TrendWatch, look_s: float = LOOK_SECONDS) -> None:
    """Keep what sells as the file says; runs until it is cancelled."""
    await watch_file(watch.path, watch.look, look_s)
