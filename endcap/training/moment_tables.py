"""The tables artifact: item-to-item and popularity as of every moment that training, evaluation and serving look from.

A folder a moment, named by `endcap.training.stamp`: `popularity.parquet`, and `item_to_item_index.npy` with `item_to_item_weight.npy`.
Ranking windows after the first share its item-to-item table, so that no table knows more than its moment.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from endcap.errors import DataRejected
from endcap.retrieval.item_to_item import ItemToItem
from endcap.retrieval.popular import Popularity
from endcap.training.stamp import stamp


@dataclass(frozen=True)
class MomentTables:
    """What the candidate sources read, as of one moment."""

    item_to_item: ItemToItem
    popularity: Popularity


@dataclass(frozen=True)
class TablesArtifact:
    """A tables artifact on disk."""

    path: Path

    def write_item_to_item(self, moment: datetime, table: ItemToItem) -> None:
        folder = self._folder(moment)
        np.save(folder / "item_to_item_index.npy", table.index)
        np.save(folder / "item_to_item_weight.npy", table.weight)

    def write_popularity(self, moment: datetime, table: Popularity) -> None:
        table.to_frame().write_parquet(self._folder(moment) / "popularity.parquet")

    def at(self, moment: datetime) -> MomentTables:
        """Popularity as of `moment`, and the newest item-to-item table that is not younger.

        Raises:
            DataRejected: no tables were built for the moment.
        """
        popularity = self.path / stamp(moment) / "popularity.parquet"
        built = [path.parent for path in sorted(self.path.glob("*/item_to_item_index.npy")) if path.parent.name <= stamp(moment)]
        if not popularity.is_file() or not built:
            raise DataRejected(
                "no tables for this moment", field=str(self.path), value=stamp(moment), fix="run the step build_tables again"
            )
        return MomentTables(
            item_to_item=ItemToItem(np.load(built[-1] / "item_to_item_index.npy"), np.load(built[-1] / "item_to_item_weight.npy")),
            popularity=Popularity.from_frame(pl.read_parquet(popularity)),
        )

    def _folder(self, moment: datetime) -> Path:
        folder = self.path / stamp(moment)
        folder.mkdir(parents=True, exist_ok=True)
        return folder
