"""Prices and stock that change under load: the file of live item updates, as the stream job writes it."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl

from endcap.catalogue.item_updates import UPDATES_FILE, write_updates
from endcap_benchmarks.synthetic.bundle import DATA_END

CHANGED_SHARE = 0.01
OUT_OF_STOCK_SHARE = 0.1
"""Of the changed items."""


class ItemChanges:
    """Writes the present state of a share of the catalogue, another price and stock each time.

    Args:
        live_dir: the folder transformers watch.
        items: of the catalogue.
        seed: of what changes.
    """

    def __init__(self, live_dir: Path, items: int, seed: int) -> None:
        self._path = live_dir / UPDATES_FILE
        self._items = items
        self._random = np.random.default_rng(seed)
        self._moment = DATA_END

    def publish(self) -> None:
        """Replace the file."""
        count = max(round(CHANGED_SHARE * self._items), 1)
        self._moment += timedelta(seconds=1)
        numbers = self._random.choice(self._items, count, replace=False)
        gone = self._random.random(count) < OUT_OF_STOCK_SHARE
        rows = pl.DataFrame(
            {
                "item_id": [f"I{number:06d}" for number in numbers],
                "updated_at": pl.Series([self._moment] * count, dtype=pl.Datetime("us", "UTC")),
                "price": np.round(0.5 + 20 * self._random.random(count), 2),
                "availability": np.where(gone, "out_of_stock", "in_stock"),
            }
        )
        write_updates(self._path, rows)

    def withdraw(self) -> None:
        """Take the file away; the transformer keeps what it has."""
        self._path.unlink(missing_ok=True)
