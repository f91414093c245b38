"""The tables artifact: what the candidate sources read, as of every moment that training, evaluation and serving look from.

A folder a moment, named by `stamp`: `popularity.parquet`, `repurchase_gap_days.npy`, and `item_to_item_index.npy` with
`item_to_item_weight.npy`. A moment without an item-to-item table of its own takes the newest older one, so that no table knows more than
its moment. Where the data calls for EASE there are `ease_index.npy` and `ease_weight.npy`, to which the same applies.
The data's end has the tables of the sources that are only served as well: `trending.parquet`, `complements_index.npy` with
`complements_weight.npy`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.core.errors import DataRejected
from endcap.engine.retrieval.complements import Complements
from endcap.engine.retrieval.item_to_item import NO_NEIGHBOURS, ItemToItem, Neighbours
from endcap.engine.retrieval.popular import Popularity


def stamp(moment: datetime) -> str:
    """For example 20171204T000000Z."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


@dataclass(frozen=True)
class MomentTables:
    """What the trained sources read, as of one moment; `repurchase_gap_days` is float32 [n + 1], 0 when unknown."""

    item_to_item: ItemToItem
    popularity: Popularity
    repurchase_gap_days: NDArray[np.float32]
    ease: ItemToItem = NO_NEIGHBOURS

    @property
    def neighbours(self) -> Neighbours:
        """What the ranker reads."""
        return Neighbours(self.item_to_item, self.ease)


@dataclass(frozen=True)
class ServedTables:
    """What the sources read that run in serving only."""

    trending: Popularity
    complements: Complements


@dataclass(frozen=True)
class TablesArtifact:
    """A tables artifact on disk."""

    path: Path

    def write_item_to_item(self, moment: datetime, table: ItemToItem) -> None:
        folder = self._folder(moment)
        np.save(folder / "item_to_item_index.npy", table.index)
        np.save(folder / "item_to_item_weight.npy", table.weight)

    def write_ease(self, moment: datetime, table: ItemToItem) -> None:
        folder = self._folder(moment)
        np.save(folder / "ease_index.npy", table.index)
        np.save(folder / "ease_weight.npy", table.weight)

    def write_popularity(self, moment: datetime, table: Popularity) -> None:
        table.to_frame().write_parquet(self._folder(moment) / "popularity.parquet")

    def write_repurchase_gaps(self, moment: datetime, gap_days: NDArray[np.float32]) -> None:
        np.save(self._folder(moment) / "repurchase_gap_days.npy", gap_days)

    def write_served(self, moment: datetime, tables: ServedTables) -> None:
        folder = self._folder(moment)
        tables.trending.to_frame().write_parquet(folder / "trending.parquet")
        np.save(folder / "complements_index.npy", tables.complements.index)
        np.save(folder / "complements_weight.npy", tables.complements.weight)

    def at(self, moment: datetime) -> MomentTables:
        """Popularity and gaps as of `moment`, and the newest tables of neighbours that are not younger.

        Raises:
            DataRejected: no tables were built for the moment.
        """
        folder = self._found(moment, "popularity.parquet", "repurchase_gap_days.npy")
        item_to_item = self._newest("item_to_item", moment)
        if item_to_item is None:
            raise self._missing(moment)
        return MomentTables(
            item_to_item=item_to_item,
            popularity=Popularity.from_frame(pl.read_parquet(folder / "popularity.parquet")),
            repurchase_gap_days=np.load(folder / "repurchase_gap_days.npy"),
            ease=self._newest("ease", moment) or NO_NEIGHBOURS,
        )

    def served_at(self, moment: datetime) -> ServedTables:
        """The tables of the sources that run in serving only.

        Raises:
            DataRejected: they were not built for the moment.
        """
        folder = self._found(moment, "trending.parquet", "complements_index.npy")
        return ServedTables(
            trending=Popularity.from_frame(pl.read_parquet(folder / "trending.parquet")),
            complements=Complements(np.load(folder / "complements_index.npy"), np.load(folder / "complements_weight.npy")),
        )

    def _newest(self, name: str, moment: datetime) -> ItemToItem | None:
        """The newest table of neighbours of this name that is not younger than the moment; None where there is none."""
        built = [path.parent for path in sorted(self.path.glob(f"*/{name}_index.npy")) if path.parent.name <= stamp(moment)]
        return ItemToItem(*(np.load(built[-1] / f"{name}_{part}.npy") for part in ("index", "weight"))) if built else None

    def _found(self, moment: datetime, *names: str) -> Path:
        folder = self.path / stamp(moment)
        if not all((folder / name).is_file() for name in names):
            raise self._missing(moment)
        return folder

    def _missing(self, moment: datetime) -> DataRejected:
        return DataRejected("no tables for this moment", field=str(self.path), value=stamp(moment), fix="run the step build_tables again")

    def _folder(self, moment: datetime) -> Path:
        folder = self.path / stamp(moment)
        folder.mkdir(parents=True, exist_ok=True)
        return folder
