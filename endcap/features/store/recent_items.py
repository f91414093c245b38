"""Recent items from the stream into the online store, in a view of their own: what is materialised never writes these rows."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa

from endcap.contracts.tables import UTC_TIMESTAMP
from endcap.core.clock import Clock, system_clock
from endcap.core.files import replacing_file
from endcap.core.settings import Settings
from endcap.features.columns import RECENT_MOVED, USER_RECENT
from endcap.features.store.names import RECENT_TABLE
from endcap.features.store.open import open_for_recent_items
from endcap.features.store.packed_rows import BothForms
from endcap.features.store.packed_views import RECENT_PACKED

ROWS_A_WRITE = 1_000
"""Rows written at once: bounds what a delivery after a long time away takes."""


def _kind(name: str) -> pa.DataType:
    if name == RECENT_MOVED:
        return pa.int64()
    return pa.list_(pa.string() if name.endswith("_ids") else pa.int64())


RECENT_SCHEMA = pa.schema([("user_id", pa.string()), ("event_timestamp", UTC_TIMESTAMP), *((name, _kind(name)) for name in USER_RECENT)])
"""The table behind the view."""


def recent_table_path(settings: Settings) -> Path:
    """Where Feast looks for recent items offline: apart from the feature tables, which are replaced as a whole."""
    return settings.feast_dir / f"{RECENT_TABLE}.parquet"


def ensure_recent_table(settings: Settings) -> None:
    """Write an empty table if there is none: Feast asks for the table behind a push source even when rows only ever go online."""
    import pyarrow.parquet as pq

    path = recent_table_path(settings)
    if not path.exists():
        with replacing_file(path) as aside:
            pq.write_table(RECENT_SCHEMA.empty_table(), aside)


class RecentItemsSink:
    """Takes the rows of recent items to the online store, each in the place of the person's earlier one.

    A row has the moment of its delivery, since Redis keeps what is newer, so the same row may come again. Its times are moved on the way,
    and say by how much.

    Args:
        settings: where the online store is; it is opened with the first rows.
        moved_by: by how much times are moved back now; `endcap.events.stream.bundle_moment`.
        clock: the present.
    """

    def __init__(self, settings: Settings, moved_by: Callable[[], timedelta], clock: Clock = system_clock) -> None:
        self._settings = settings
        self._online: BothForms | None = None
        self._moved_by = moved_by
        self._clock = clock

    def deliver(self, rows: pl.DataFrame) -> None:
        """Write rows.

        Args:
            rows: `user_id` and USER_RECENT but for `recent_moved_s`, one a person; times as in the events.

        Raises:
            DependencyUnavailable: there is no feature store yet, it lacks the view, or it does not take the rows.
            InvalidInput: its configuration is wrong.
        """
        if self._online is None:
            self._online = BothForms(open_for_recent_items(self._settings), RECENT_PACKED)
        moved_s = round(self._moved_by().total_seconds())
        for part in moved_rows(rows, moved_s).iter_slices(ROWS_A_WRITE):
            self._online.write(part["user_id"].to_list(), part.select(USER_RECENT).to_dicts(), self._clock())


def moved_rows(rows: pl.DataFrame, moved_s: int) -> pl.DataFrame:
    """Rows with their times moved back, and `recent_moved_s`; 0, for a purchase that stands, stays.

    Args:
        rows: as of `RecentItemsSink.deliver`.
        moved_s: seconds.
    """
    until = pl.element()
    return rows.with_columns(
        pl.col("recent_occurred_at", "recent_bought_at").list.eval(pl.element() - moved_s),
        pl.col("recent_bought_until").list.eval(pl.when(until > 0).then(until - moved_s).otherwise(0)),
        pl.lit(moved_s, dtype=pl.Int64()).alias(RECENT_MOVED),
    )
