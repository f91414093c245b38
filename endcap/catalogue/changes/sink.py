"""Where changes of items go: to the servers, and to the next training."""

from collections.abc import Callable
from pathlib import Path

import polars as pl

from endcap.catalogue.changes.item_changes import ITEM
from endcap.catalogue.changes.waiting_items import WAITING_FILE, WaitingItems
from endcap.catalogue.item_updates import UPDATES_FILE, VALUES, alone, joined_updates, update_schema


class ItemChangesSink:
    """Joins rows of `ItemChanges` to the files of the live folder. Rows that come again change nothing.

    Args:
        live_dir: the live folder.
        known: ids of the served bundle's items, text; none before there is one.
        count: called with how many items wait for the next training.
    """

    def __init__(self, live_dir: Path, known: Callable[[], pl.Series], count: Callable[[int], None]) -> None:
        self._updates = live_dir / UPDATES_FILE
        self._waiting = WaitingItems(live_dir / WAITING_FILE)
        self._known = known
        self._count = count

    def deliver(self, rows: pl.DataFrame) -> None:
        """Take rows.

        Args:
            rows: CHANGES_SCHEMA.

        Raises:
            DataRejected: a file that is there cannot be read.
            OSError: the disk refused.
        """
        updates = rows.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in VALUES)).select(update_schema().names())
        if not updates.is_empty():
            with alone(self._updates):
                joined_updates(self._updates, updates)
        whole = rows.filter(pl.col(ITEM).is_not_null())
        self._count(self._waiting.join(whole.select("item_id", "updated_at", ITEM), self._known()))
