"""The tables beside a bundle's SavedModel: written by the pipeline, read once by every transformer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.engine.retrieval.complements import Complements
from endcap.engine.retrieval.item_to_item import NO_NEIGHBOURS, ItemToItem, Neighbours
from endcap.engine.retrieval.popular import Popularity
from endcap.engine.retrieval.similar_users import SimilarUsers
from endcap.features.columns import ITEM_NUMERIC

_FEATURE_PREFIX = "feature_"


@dataclass(frozen=True)
class BundleTables:
    """Everything a transformer reads of n items.

    Attributes:
        items: the catalogue as of the data's end.
        user_vocabularies: by USER_CATEGORICAL column.
        item_embeddings: float32 [n + 1, dim], unit length, row 0 zeros.
        item_to_item: nearest items of each item.
        has_neighbours: bool [n + 1], items with a row in `item_to_item`.
        complements: what goes into the same basket with each item.
        repurchase_gap_days: float32 [n + 1], usual days between two purchases of one user, 0 when unknown.
        popularity: popular items by segment.
        trending: items that sell more than usual, by segment.
        similar_users: some users and what they buy.
        ease: EASE's highest weights of each item; NO_NEIGHBOURS where the data does not call for it.
    """

    items: ItemTable
    user_vocabularies: Mapping[str, Vocabulary]
    item_embeddings: NDArray[np.float32]
    item_to_item: ItemToItem
    has_neighbours: NDArray[np.bool_]
    complements: Complements
    repurchase_gap_days: NDArray[np.float32]
    popularity: Popularity
    trending: Popularity
    similar_users: SimilarUsers
    ease: ItemToItem = NO_NEIGHBOURS

    @property
    def neighbours(self) -> Neighbours:
        """What the ranker reads."""
        return Neighbours(self.item_to_item, self.ease)


def write_tables(folder: Path, tables: BundleTables, item_rows: pl.DataFrame) -> None:
    """Write `tables/` into a bundle folder that is still being made.

    Args:
        folder: the bundle.
        tables: what to write.
        item_rows: the canonical items table that `tables.items` was built from.
    """
    target = folder / "tables"
    target.mkdir(parents=True, exist_ok=True)
    numeric = pl.DataFrame(tables.items.numeric[1:], schema=[_FEATURE_PREFIX + name for name in ITEM_NUMERIC])
    pl.concat([item_rows.sort("item_id"), numeric], how="horizontal").write_parquet(target / "items.parquet")
    vocabularies = {name: list(vocabulary.names) for name, vocabulary in tables.user_vocabularies.items()}
    (target / "vocabularies.json").write_text(json.dumps({"user": vocabularies}, indent=1), encoding="utf-8")
    for name, values in _arrays(tables).items():
        np.save(target / f"{name}.npy", values)
    tables.popularity.to_frame().write_parquet(target / "popularity.parquet")
    tables.trending.to_frame().write_parquet(target / "trending.parquet")


def read_tables(folder: Path, memory_map: bool = False) -> BundleTables:
    """Read `tables/` of a bundle whose files were checked by `endcap.release.bundle.manifest.open_bundle`.

    Args:
        folder: the bundle.
        memory_map: leave the arrays with a row of many columns an item on disk; the kernel keeps what requests touch, once for all
            processes of a machine. The files must not change while they are in use.
    """
    source = folder / "tables"

    def array(name: str) -> NDArray[Any]:
        # A plain array over the mapping: every slice of a memmap would pay for the subclass again.
        return np.asarray(np.load(source / f"{name}.npy", mmap_mode="r" if memory_map else None))

    vocabularies = json.loads((source / "vocabularies.json").read_text(encoding="utf-8"))
    return BundleTables(
        items=_items(source),
        user_vocabularies={name: Vocabulary(tuple(names)) for name, names in vocabularies["user"].items()},
        item_embeddings=array("item_embeddings"),
        item_to_item=ItemToItem(array("item_to_item_index"), array("item_to_item_weight")),
        has_neighbours=np.load(source / "has_neighbours.npy"),
        complements=Complements(array("complements_index"), array("complements_weight")),
        repurchase_gap_days=np.load(source / "repurchase_gap_days.npy"),
        popularity=Popularity.from_frame(pl.read_parquet(source / "popularity.parquet")),
        trending=Popularity.from_frame(pl.read_parquet(source / "trending.parquet")),
        similar_users=SimilarUsers(*(np.load(source / f"similar_users_{name}.npy") for name in ("embedding", "index", "weight"))),
        ease=ItemToItem(array("ease_index"), array("ease_weight")) if (source / "ease_index.npy").is_file() else NO_NEIGHBOURS,
    )


def _items(source: Path) -> ItemTable:
    frame = pl.read_parquet(source / "items.parquet")
    feature_columns = [_FEATURE_PREFIX + name for name in ITEM_NUMERIC]
    features = frame.select("item_id", *feature_columns).rename(dict(zip(feature_columns, ITEM_NUMERIC, strict=True)))
    return ItemTable.from_items(frame.drop(feature_columns)).with_features(features)


def _arrays(tables: BundleTables) -> dict[str, NDArray[Any]]:
    ease: dict[str, NDArray[Any]] = {} if tables.ease.is_empty else {"ease_index": tables.ease.index, "ease_weight": tables.ease.weight}
    return ease | {
        "item_embeddings": tables.item_embeddings.astype(np.float32, copy=False),
        "item_to_item_index": tables.item_to_item.index,
        "item_to_item_weight": tables.item_to_item.weight,
        "has_neighbours": tables.has_neighbours,
        "complements_index": tables.complements.index,
        "complements_weight": tables.complements.weight,
        "repurchase_gap_days": tables.repurchase_gap_days,
        "similar_users_embedding": tables.similar_users.embedding,
        "similar_users_index": tables.similar_users.index,
        "similar_users_weight": tables.similar_users.weight,
    }
