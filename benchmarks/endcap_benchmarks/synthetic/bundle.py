"""A small bundle with random weights: the real files and signatures, made in a second, for tests of serving and for its benchmark."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.item_table import PATH_SEPARATOR, ItemTable
from endcap.catalogue.vocabulary import Vocabulary
from endcap.contracts.moment import DAY_S
from endcap.contracts.signals import PURCHASE_CODE
from endcap.contracts.signatures import ENCODE_QUERY_INPUTS
from endcap.core.files import replacing_folder
from endcap.core.settings import RetrievalSettings
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.complements import Complements
from endcap.engine.retrieval.item_to_item import ItemToItem
from endcap.engine.retrieval.popular import OVERALL, Popularity, popular_of
from endcap.engine.retrieval.similar_users import SimilarUsers
from endcap.engine.retrieval.trending import trending_of
from endcap.features.columns import (
    HISTORY_LENGTH,
    ITEM_NUMERIC,
    PAIR_NUMERIC,
    PAIR_SIGNALS,
    PURCHASE_OBJECTIVES,
    USER_CATEGORICAL,
    USER_NUMERIC,
)
from endcap.release.bundle.manifest import Bundle, seal_bundle
from endcap.release.bundle.promotion import model_base_path
from endcap.release.bundle.tables import BundleTables, write_tables

DATA_END = datetime(2017, 12, 31, 23, 59, tzinfo=UTC)
AGE_BANDS = ("19-24", "25-34", "35-44")
DEPARTMENTS = ("GROCERY", "PRODUCE", "DRUG GM", "MEAT")
OUT_OF_STOCK_EVERY = 50
"""Every so many items one is out of stock."""
NEW_EVERY = 40
"""Every so many items one was never bought."""
SIMILAR_USERS = 4_000
PURCHASES_MAX = 4_000_000
LIKED_SHELVES = 8


@dataclass(frozen=True)
class SyntheticSize:
    """How large a synthetic catalogue is and how it divides.

    Attributes:
        shelves: finest categories, a multiple of 36; three to an aisle.
        brand_items: items of a brand.
    """

    items: int = 2_000
    dim: int = 16
    neighbours: int = 20
    seed: int = 7
    shelves: int = 36
    brand_items: int = 4

    def category_path(self, number: int) -> list[str]:
        """Department, aisle and shelf of an item by its number."""
        department = DEPARTMENTS[number % len(DEPARTMENTS)]
        return [department, f"{department} aisle {number % (self.shelves // 3)}", f"{department} shelf {number % self.shelves}"]

    def brand(self, number: int) -> str:
        return f"Brand {number // self.brand_items}"


def make_bundle(folder: Path, version: int, collection: str, size: SyntheticSize = SyntheticSize()) -> Bundle:
    """Write and seal a whole bundle.

    Args:
        folder: an empty or missing folder, which becomes the bundle.
        version: version number of the manifest.
        collection: name of the Milvus collection that `encode_query` answers with.
        size: how large and how random.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = make_items(size)
    tables = make_tables(size, rows)
    write_tables(folder, tables, rows)
    save_model(folder, tables.item_embeddings, collection, size.seed)
    return seal_bundle(folder, **manifest_fields(version, collection, size))


def manifest_fields(version: int, collection: str, size: SyntheticSize) -> dict[str, Any]:
    """What a manifest says beside its files and features."""
    return {
        "version": version,
        "created_at": DATA_END,
        "endcap_version": "0.1.0",
        "collection": collection,
        "embedding_dim": size.dim,
        "item_count": size.items,
        "objectives": list(PURCHASE_OBJECTIVES),
        "data_start": DATA_END - timedelta(days=365),
        "data_end": DATA_END,
        "cut": DATA_END - timedelta(days=28),
        "dataset_fingerprint": "synthetic",
        "quotas": RetrievalSettings().model_dump(),
        "metrics": {},
        "query_inputs": ENCODE_QUERY_INPUTS,
    }


def promote_synthetic(served_dir: Path, version: int, collection: str, size: SyntheticSize = SyntheticSize()) -> Bundle:
    """Make a bundle where servers look for it; it appears whole, under its final name."""
    target = model_base_path(served_dir) / str(version)
    with replacing_folder(target) as aside:
        made = make_bundle(aside, version, collection, size)
    return Bundle(target, made.manifest)


def make_items(size: SyntheticSize) -> pl.DataFrame:
    """The canonical items table: departments, aisles, shelves and brands, titles as long as a shop's."""
    n = pl.col("number")
    department = (n % len(DEPARTMENTS)).replace_strict(dict(enumerate(DEPARTMENTS)), return_dtype=pl.String)
    brand = pl.format("Brand {}", n // size.brand_items)
    aisle = pl.format("{} aisle {}", department, n % (size.shelves // 3))
    shelf = pl.format("{} shelf {}", department, n % size.shelves)
    return pl.DataFrame({"number": np.arange(size.items)}).select(
        pl.format("I{}", n.cast(pl.String).str.zfill(6)).alias("item_id"),
        pl.format("Item {} of {}, pack of {}", n, brand, 1 + n % 12).alias("title"),
        pl.concat_list(department, aisle, shelf).alias("category_path"),
        brand.alias("brand"),
        pl.lit(None, dtype=pl.String).alias("family_id"),
        (0.5 + (n % 200) / 10).alias("price"),
        pl.lit("USD").alias("currency"),
        (0.05 + (n % 13) / 40).alias("margin"),
        pl.when(n % OUT_OF_STOCK_EVERY == OUT_OF_STOCK_EVERY - 1)
        .then(pl.lit("out_of_stock"))
        .otherwise(pl.lit("in_stock"))
        .alias("availability"),
        pl.lit(DATA_END - timedelta(days=400)).cast(pl.Datetime("us", "UTC")).alias("created_at"),
        pl.lit("{}").alias("attributes"),
        pl.lit(None, dtype=pl.String).alias("image_url"),
    )


def make_tables(size: SyntheticSize, item_rows: pl.DataFrame | None = None) -> BundleTables:
    """Tables whose neighbours are the nearest item numbers, and whose first items are the most popular.

    Args:
        size: how large and how random.
        item_rows: from `make_items`; made when not given.
    """
    random = np.random.default_rng(size.seed)
    rows = make_items(size) if item_rows is None else item_rows
    items = ItemTable.from_items(rows)
    numeric = random.random((size.items, len(ITEM_NUMERIC)), dtype=np.float32)
    numeric[NEW_EVERY - 1 :: NEW_EVERY] = 0
    features = pl.DataFrame(numeric, schema=list(ITEM_NUMERIC))
    bought = (random.zipf(1.3, min(20 * size.items, PURCHASES_MAX)) - 1) % size.items + 1
    weight = np.tile(np.linspace(0.9, 0.1, size.neighbours, dtype=np.float16), (size.items + 1, 1))
    weight[::NEW_EVERY] = 0
    item_to_item = ItemToItem(_made_neighbours(size, step=1), weight)
    return BundleTables(
        items=items.with_features(pl.concat([rows.select("item_id"), features], how="horizontal")),
        user_vocabularies={name: Vocabulary(AGE_BANDS if name == "age_band" else ()) for name in USER_CATEGORICAL},
        item_embeddings=_made_embeddings(size, random),
        item_to_item=item_to_item,
        has_neighbours=item_to_item.has_neighbours(),
        complements=Complements(_made_neighbours(size, step=7), weight),
        repurchase_gap_days=np.concatenate([np.zeros(1, np.float32), 3 + 40 * random.random(size.items, dtype=np.float32)]),
        popularity=Popularity({OVERALL: popular_of(bought.astype(np.int32), size.items, 1_000)}),
        trending=Popularity({OVERALL: _made_trends(size)}),
        similar_users=_made_users(size, random),
    )


def _made_neighbours(size: SyntheticSize, step: int) -> NDArray[np.int32]:
    """int32 [items + 1, neighbours]: the next item numbers, `step` apart; every NEW_EVERY-th item has none."""
    number = np.arange(size.items + 1, dtype=np.int32)
    index = number[:, None] + step * np.arange(size.neighbours, dtype=np.int32)
    index %= size.items
    index += 1
    index[::NEW_EVERY] = 0
    return index


def _made_embeddings(size: SyntheticSize, random: np.random.Generator) -> NDArray[np.float32]:
    embeddings = _unit_rows(size.items + 1, size.dim, random)
    embeddings[0] = 0
    return embeddings


def _made_trends(size: SyntheticSize) -> Candidates:
    number = np.arange(1, size.items + 1, dtype=np.int32)[: 20 * 200]
    return trending_of(number, 5 + (number % 97).astype(np.float32), np.full(len(number), 10, np.float32), 200)


def _made_users(size: SyntheticSize, random: np.random.Generator) -> SimilarUsers:
    index = random.integers(1, size.items + 1, (SIMILAR_USERS, 30)).astype(np.int32)
    return SimilarUsers(
        _unit_rows(SIMILAR_USERS, size.dim, random), index, np.tile(np.linspace(0.1, 0.01, 30, dtype=np.float32), (SIMILAR_USERS, 1))
    )


def _unit_rows(rows: int, dim: int, random: np.random.Generator) -> NDArray[np.float32]:
    made = random.standard_normal((rows, dim), dtype=np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


def make_feature_row(user_id: str, size: SyntheticSize, pairs: int = 200) -> dict[str, Any]:
    """The online feature row of a user, always the same for the same id; `pairs` items of the past."""
    random = np.random.default_rng(abs(hash_of(user_id)) % 2**32)
    pairs = min(pairs, size.items)
    bought = _bought(size, pairs, random)
    ids = [f"I{n:06d}" for n in bought]
    last_bought = (DATA_END.timestamp() - random.random(pairs) * 90 * DAY_S).astype(np.int64)
    history = np.argsort(last_bought)[-HISTORY_LENGTH:]
    shelves = sorted({PATH_SEPARATOR.join(size.category_path(int(n))) for n in bought[:20]})
    return {
        "event_timestamp": DATA_END,
        **{name: float(random.random()) for name in USER_NUMERIC},
        **{name: "25-34" if name == "age_band" else "" for name in USER_CATEGORICAL},
        "history_item_ids": [ids[row] for row in history],
        "history_occurred_at": last_bought[history].tolist(),
        "history_signals": [PURCHASE_CODE] * len(history),
        "category_ids": shelves,
        "category_shares": [1 / len(shelves)] * len(shelves),
        "brand_ids": [size.brand(int(bought[0]))],
        "brand_shares": [0.5],
        "pair_item_ids": ids,
        "pair_times_bought": (1 + random.integers(0, 9, pairs)).tolist(),
        "pair_baskets_28d": random.integers(0, 3, pairs).tolist(),
        "pair_baskets_90d": random.integers(0, 6, pairs).tolist(),
        "pair_last_bought_at": last_bought.tolist(),
        "pair_gap_mean_days": (random.random(pairs) * 30).tolist(),
        "pair_decayed_20d": random.random(pairs).tolist(),
        "pair_decayed_60d": random.random(pairs).tolist(),
        **{name: [] for name in PAIR_SIGNALS},
    }


def _bought(size: SyntheticSize, pairs: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Distinct item numbers, int64 [pairs]: half from a few shelves that the person likes, half from anywhere."""
    liked = random.choice(size.shelves, min(LIKED_SHELVES, size.shelves), replace=False)
    near = liked[random.integers(0, len(liked), pairs)] + size.shelves * random.integers(0, max(size.items // size.shelves, 1), pairs)
    anywhere = random.choice(size.items, pairs, replace=False)
    mixed = np.concatenate([near[: pairs // 2][near[: pairs // 2] < size.items], anywhere])
    _, first = np.unique(mixed, return_index=True)
    return mixed[np.sort(first)][:pairs]


def hash_of(text: str) -> int:
    """A hash that does not change from one process to the next."""
    return int.from_bytes(text.encode()[:8].ljust(8, b"\0"), "little")


def save_model(folder: Path, item_embeddings: NDArray[np.float32], collection: str, seed: int) -> None:
    """Write a SavedModel with both signatures and random weights; `buy` grows with the decayed count, as in a trained ranker."""
    import tensorflow as tf

    module = _module(tf, item_embeddings, collection, seed)
    dim = item_embeddings.shape[1]
    specs = _input_specs(tf, dim)
    encode = module.encode_query.get_concrete_function(**specs["encode_query"])
    rank = module.rank.get_concrete_function(**specs["rank"])
    tf.saved_model.save(module, str(folder), signatures={"encode_query": encode, "rank": rank})


def _input_specs(tf: Any, dim: int) -> Mapping[str, Mapping[str, Any]]:
    def spec(name: str, shape: list[int | None], dtype: Any) -> Any:
        return tf.TensorSpec(shape, dtype, name=name)

    user = {
        "user_numeric": spec("user_numeric", [None, len(USER_NUMERIC)], tf.float32),
        "user_categories": spec("user_categories", [None, len(USER_CATEGORICAL)], tf.int32),
        "context": spec("context", [None, 5], tf.int32),
    }
    return {
        "encode_query": {
            "history": spec("history", [None, HISTORY_LENGTH], tf.int32),
            "history_age_days": spec("history_age_days", [None, HISTORY_LENGTH], tf.float32),
            "history_signal": spec("history_signal", [None, HISTORY_LENGTH], tf.int32),
            **user,
        },
        "rank": {
            "query_embedding": spec("query_embedding", [None, dim], tf.float32),
            **user,
            "query_row": spec("query_row", [None], tf.int32),
            "item_index": spec("item_index", [None], tf.int32),
            "item_numeric": spec("item_numeric", [None, len(ITEM_NUMERIC)], tf.float32),
            "pair_numeric": spec("pair_numeric", [None, len(PAIR_NUMERIC)], tf.float32),
        },
    }


def _module(tf: Any, item_embeddings: NDArray[np.float32], collection: str, seed: int) -> Any:
    width = len(ITEM_NUMERIC) + len(PAIR_NUMERIC) + 2 * item_embeddings.shape[1] + len(USER_NUMERIC)

    class SyntheticModel(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            random = np.random.default_rng(seed)
            self.items = tf.Variable(item_embeddings)
            self.hidden = tf.Variable(random.standard_normal((width, 128)).astype(np.float32) / np.float32(np.sqrt(width)))
            self.out = tf.Variable(random.standard_normal((128, 2)).astype(np.float32) / 12)

        @tf.function
        def encode_query(self, history, history_age_days, history_signal, user_numeric, user_categories, context):  # type: ignore[no-untyped-def]  # noqa: PLR0917
            weight = tf.exp(-history_age_days / 30.0) * tf.cast((history > 0) & (history_signal > 0), tf.float32)
            mean = tf.einsum("nh,nhd->nd", weight, tf.gather(self.items, history))
            shift = 1e-3 * tf.reduce_sum(tf.math.tanh(user_numeric), axis=1, keepdims=True)
            shift += 0.0 * tf.cast(
                tf.reduce_sum(user_categories, axis=1, keepdims=True) + tf.reduce_sum(context, 1, keepdims=True), tf.float32
            )
            return {"embedding": tf.math.l2_normalize(mean + shift + 1e-6, axis=1), "collection": tf.constant([collection])}

        @tf.function
        def rank(self, query_embedding, user_numeric, user_categories, context, query_row, item_index, item_numeric, pair_numeric):  # type: ignore[no-untyped-def]  # noqa: PLR0917
            user = tf.concat([query_embedding, user_numeric], axis=1)
            unused = 0.0 * tf.cast(tf.reduce_sum(user_categories) + tf.reduce_sum(context), tf.float32)
            columns = [tf.gather(user, query_row), tf.gather(self.items, item_index), item_numeric, tf.math.tanh(pair_numeric)]
            logits = tf.nn.relu(tf.concat(columns, axis=1) @ self.hidden) @ self.out + unused
            bought = pair_numeric[:, PAIR_NUMERIC.index("decayed_60d")]
            buy = tf.sigmoid(logits[:, 0] + 2.0 * bought - 3.0)
            return {"buy": buy, "buy_again": buy * tf.sigmoid(logits[:, 1])}

    return SyntheticModel()
