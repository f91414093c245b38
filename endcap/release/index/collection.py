"""A bundle's Milvus collection: built once, checked, and never changed after."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.core.errors import BundleInvalid, DependencyUnavailable
from endcap.core.progress import StepProgress
from endcap.core.settings import MilvusSettings
from endcap.release.bundle.tables import BundleTables
from endcap.release.index.connection import grpc_service
from endcap.release.index.item_insert import insert_items
from endcap.release.index.readiness import wait_until_indexed, wait_until_served
from endcap.release.index.search import ItemSearch
from endcap.release.index.search_filter import KEY_FIELD
from endcap.release.index.search_messages import EMBEDDING_FIELD, METRIC


@dataclass(frozen=True)
class Structure:
    """How an index is laid out: Milvus's name of its kind, and parameters of building it."""

    kind: str
    parameters: Mapping[str, int]


USUAL = Structure("HNSW", {"M": 24, "efConstruction": 128})
THOROUGH = Structure("HNSW", {"M": 64, "efConstruction": 512})
"""For embeddings that lie far apart or often in one place, in which a thin graph loses its way."""
EXHAUSTIVE = Structure("IVF_FLAT", {"nlist": 1})
"""One cell that every search looks through. Of the kind FLAT Milvus never says that it is loaded with its index."""
EXHAUSTIVE_ITEMS_MAX = 50_000
"""Up to so many items every search may look at all of them: some milliseconds."""


def structures(items: int) -> list[Structure]:
    """What to try, in order, until the index finds enough of the exact nearest items."""
    return [USUAL, THOROUGH, *([EXHAUSTIVE] if items <= EXHAUSTIVE_ITEMS_MAX else [])]


LOAD_TIMEOUT_S = 300.0
_QUERIES_AT_ONCE = 20
"""Compared with every item exactly, these need 80 MB for a million items."""


def collection_name(prefix: str, version: int) -> str:
    """The collection of a bundle; the alias that follows promotion is the prefix itself."""
    return f"{prefix}_{version}"


def build_collection(client: Any, tables: BundleTables, name: str, settings: MilvusSettings, structure: Structure = USUAL) -> int:
    """Create, fill, index and load a collection of every item's embedding; return when searches see all of it, indexed.

    The collection replaces one of the same name. Its scalar fields serve filtered searches: whether an item is available, its finest
    category and its brand as codes of the bundle's vocabularies, and its price (UNKNOWN_PRICE when unknown).

    Args:
        client: a `pymilvus.MilvusClient`.
        tables: of the bundle; n items with embeddings float32 [n + 1, dim].
        name: of the collection.
        settings: where `client` is connected to.
        structure: of the index.

    Returns:
        How many items it holds.

    Raises:
        BundleInvalid: the embeddings do not fit the catalogue.
        DependencyUnavailable: Milvus failed; what was made so far is dropped.
    """
    from pymilvus import MilvusException

    _require_unit_rows(tables)
    count = len(tables.item_embeddings) - 1
    try:
        _create(client, name, tables.item_embeddings.shape[1])
        with grpc_service(settings) as service, StepProgress() as progress:
            _insert(service, name, tables, progress)
            client.flush(name, timeout=LOAD_TIMEOUT_S)
            _index(client, name, count, structure, progress)
            client.load_collection(name, timeout=LOAD_TIMEOUT_S)
            wait_until_served(service, name, count)
    except MilvusException as error:
        drop_collection(client, name)
        raise DependencyUnavailable(f"Milvus could not build the collection: {error}", field="collection", value=name) from error
    except DependencyUnavailable:
        drop_collection(client, name)
        raise
    return count


def self_recall(
    search: ItemSearch,
    name: str,
    embeddings: NDArray[np.float32],
    *,
    limit: int = 100,
    sample: int = 200,
    ef: int = 0,
    seed: int = 0,
) -> float:
    """Share of the exact nearest items that the index finds, over a sample of items taken as queries.

    Args:
        embeddings: float32 [n + 1, dim], row 0 unused.
        limit: neighbours a query.
        sample: queries.
        ef: HNSW's search width, as serving uses it.

    Returns:
        In [0, 1]; an item counts as found when its inner product is at least the exact list's last, so that ties do not matter.
    """
    count = len(embeddings) - 1
    limit = min(limit, count)
    rows = np.random.default_rng(seed).choice(np.arange(1, count + 1), size=min(sample, count), replace=False)
    hits = 0
    for start in range(0, len(rows), _QUERIES_AT_ONCE):
        queries = embeddings[rows[start : start + _QUERIES_AT_ONCE]]
        exact = queries @ embeddings[1:].T
        last = np.partition(exact, count - limit, axis=1)[:, count - limit]
        found, _ = search.search_many(name, queries, limit, ef=ef, timeout_ms=60_000.0)
        hits += sum(min(int((exact[row, index - 1] >= last[row] - 1e-6).sum()), limit) for row, index in enumerate(found))
    return hits / (limit * len(rows))


def row_count(client: Any, name: str) -> int:
    """Rows that reached Milvus's storage."""
    return int(client.get_collection_stats(name)["row_count"])


def ensure_loaded(client: Any, name: str) -> None:
    """Load a collection if it is not, and wait until it can be searched.

    Raises:
        DependencyUnavailable: there is no such collection, or it cannot be loaded.
    """
    from pymilvus import MilvusException

    try:
        client.load_collection(name, timeout=LOAD_TIMEOUT_S)
    except MilvusException as error:
        raise DependencyUnavailable(
            f"the collection cannot be searched: {error}", field="collection", value=name, fix="run `endcap index build`"
        ) from error


def _require_unit_rows(tables: BundleTables) -> None:
    embeddings = tables.item_embeddings
    if len(embeddings) != len(tables.items):
        raise BundleInvalid(
            f"there are {len(tables.items) - 1} items", field="item_embeddings.npy", value=f"{len(embeddings) - 1} embeddings"
        )
    lengths = np.linalg.norm(embeddings[1:], axis=1)
    if not np.allclose(lengths, 1.0, atol=1e-3):
        raise BundleInvalid("every embedding must have length 1", field="item_embeddings.npy", value=float(lengths.min()))


def drop_collection(client: Any, name: str) -> None:
    """Drop a collection if it is there, and first the aliases that point at it: Milvus would keep them, pointing nowhere."""
    if not client.has_collection(name):
        return
    for alias in client.describe_collection(name).get("aliases", ()):
        client.drop_alias(alias)
    client.drop_collection(name)


def _create(client: Any, name: str, dim: int) -> None:
    from pymilvus import DataType, MilvusClient

    drop_collection(client, name)
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field(KEY_FIELD, DataType.INT64, is_primary=True)
    schema.add_field(EMBEDDING_FIELD, DataType.FLOAT_VECTOR, dim=dim)
    schema.add_field("available", DataType.BOOL)
    schema.add_field("category", DataType.INT32)
    schema.add_field("brand", DataType.INT32)
    schema.add_field("price", DataType.FLOAT)
    client.create_collection(name, schema=schema, consistency_level="Eventually", num_shards=1)


def _insert(service: Any, name: str, tables: BundleTables, progress: StepProgress) -> None:
    task = progress.add_task("Inserting items", total=len(tables.item_embeddings) - 1)
    for rows in insert_items(service, name, tables.items, tables.item_embeddings):
        progress.advance(task, rows)


def _index(client: Any, name: str, count: int, structure: Structure, progress: StepProgress) -> None:
    task = progress.add_task("Indexing items", total=count)
    parameters = client.prepare_index_params()
    parameters.add_index(EMBEDDING_FIELD, index_type=structure.kind, metric_type=METRIC, params=dict(structure.parameters))
    client.create_index(name, parameters, timeout=LOAD_TIMEOUT_S, sync=False)
    wait_until_indexed(client, name, count, lambda rows: progress.update(task, completed=rows))
