"""The tables beside a bundle's SavedModel: written by the pipeline, read once by every transformer."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.features.columns import ITEM_NUMERIC
from endcap.retrieval.item_to_item import ItemToItem
from endcap.retrieval.popular import Popularity

_FEATURE_PREFIX = "feature_"


@dataclass(frozen=True)
class BundleTables:
    """Everything a transformer holds in memory.

    Attributes:
        items: the catalogue as of the data's end.
        item_rows: the canonical items table that `items` was built from, sorted by item id.
        user_vocabularies: by USER_CATEGORICAL column.
        item_embeddings: float32 [n + 1, dim], unit length, row 0 zeros.
        item_to_item: nearest items of each item.
        popularity: popular items by segment.
    """

    items: ItemTable
    item_rows: pl.DataFrame
    user_vocabularies: Mapping[str, Vocabulary]
    item_embeddings: NDArray[np.float32]
    item_to_item: ItemToItem
    popularity: Popularity


def write_tables(folder: Path, tables: BundleTables) -> None:
    """Write `tables/` into a bundle folder that is still being made."""
    target = folder / "tables"
    target.mkdir(parents=True, exist_ok=True)
    numeric = pl.DataFrame(tables.items.numeric[1:], schema=[_FEATURE_PREFIX + name for name in ITEM_NUMERIC])
    pl.concat([tables.item_rows.sort("item_id"), numeric], how="horizontal").write_parquet(target / "items.parquet")
    vocabularies = {name: list(vocabulary.names) for name, vocabulary in tables.user_vocabularies.items()}
    (target / "vocabularies.json").write_text(json.dumps({"user": vocabularies}, indent=1), encoding="utf-8")
    np.save(target / "item_embeddings.npy", tables.item_embeddings.astype(np.float32))
    np.save(target / "item_to_item_index.npy", tables.item_to_item.index)
    np.save(target / "item_to_item_weight.npy", tables.item_to_item.weight)
    tables.popularity.to_frame().write_parquet(target / "popularity.parquet")


def read_tables(folder: Path) -> BundleTables:
    """Read `tables/` of a bundle whose files were checked by `endcap.bundle.manifest.open_bundle`."""
    source = folder / "tables"
    frame = pl.read_parquet(source / "items.parquet")
    feature_columns = [_FEATURE_PREFIX + name for name in ITEM_NUMERIC]
    item_rows = frame.drop(feature_columns)
    features = frame.select("item_id", *feature_columns).rename(dict(zip(feature_columns, ITEM_NUMERIC, strict=True)))
    vocabularies = json.loads((source / "vocabularies.json").read_text(encoding="utf-8"))
    return BundleTables(
        items=ItemTable.from_items(item_rows).with_features(features),
        item_rows=item_rows,
        user_vocabularies={name: Vocabulary(tuple(names)) for name, names in vocabularies["user"].items()},
        item_embeddings=np.load(source / "item_embeddings.npy"),
        item_to_item=ItemToItem(np.load(source / "item_to_item_index.npy"), np.load(source / "item_to_item_weight.npy")),
        popularity=Popularity.from_frame(pl.read_parquet(source / "popularity.parquet")),
    )
