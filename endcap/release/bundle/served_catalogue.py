"""What whoever writes live files asks of the served bundle: which items it knows, and what it counted."""

import polars as pl

from endcap.catalogue.changes.counter_updates import COUNTED_DAYS, ServedCounts
from endcap.core.clock import Clock
from endcap.core.parquet_file import read_parquet_checked
from endcap.core.settings import Settings, resolve_replay
from endcap.release.bundle.served_bundles import open_served_bundles

_FIX = "run `endcap pipeline run` again"


class ServedCatalogue:
    """Reads the served bundle, once a version.

    Args:
        settings: where the served bundle is, and the moment to answer for.
        clock: the present, UTC.

    Raises:
        InvalidInput: the setting of the store is no place for bundles.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._bundles = open_served_bundles(settings)
        self._version: int | None = None
        self._counts: ServedCounts | None = None

    def counts(self) -> ServedCounts | None:
        """What it counted; None before the first promotion.

        Raises:
            BundleInvalid: the bundle is damaged, or not there.
            DependencyUnavailable: which bundle is served cannot be known now, or the store does not answer.
            DataRejected: its table of items is damaged.
        """
        version = self._bundles.version()
        if version != self._version:
            self._counts = None if version is None else self._read(version)
            self._version = version
        return self._counts

    def known(self) -> pl.Series:
        """Ids of its items, text; none before the first promotion.

        Raises:
            BundleInvalid, DependencyUnavailable: as of `counts`.
            DataRejected: its table of items is damaged.
        """
        counts = self.counts()
        return pl.Series("item_id", [], dtype=pl.String()) if counts is None else counts.items["item_id"]

    def _read(self, version: int) -> ServedCounts:
        columns = {f"purchases_{days}d": f"feature_purchases_{days}d" for days in COUNTED_DAYS}
        with self._bundles.table(version, "items.parquet") as path:
            items = read_parquet_checked(path, columns=["item_id", *columns.values()], fix=_FIX)
        data_end = self._bundles.manifest(version).data_end
        return ServedCounts(
            data_end=data_end,
            answers_at=resolve_replay(self._settings.replay_at, data_end, self._clock()),
            items=items.select("item_id", *(pl.col(stored).cast(pl.Float64()).alias(name) for name, stored in columns.items())),
        )
