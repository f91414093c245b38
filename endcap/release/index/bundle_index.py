"""From a bundle to a collection that may be searched: built, loaded, checked, and only then pointed at."""

from dataclasses import dataclass
from typing import Any, NoReturn

from endcap.core.errors import BundleInvalid
from endcap.core.log import get_logger
from endcap.core.settings import MilvusSettings
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.tables import BundleTables, read_tables
from endcap.release.index.alias import aliased_collection, move_alias, prune_collections
from endcap.release.index.collection import build_collection, drop_collection, ensure_loaded, row_count, self_recall, structures
from endcap.release.index.connection import connect
from endcap.release.index.search import ItemSearch


@dataclass(frozen=True)
class IndexReport:
    """What became of a bundle's collection.

    Attributes:
        built: whether it had to be built; a complete one is only checked.
        self_recall: share of exact nearest items found, over a sample.
    """

    collection: str
    items: int
    built: bool
    self_recall: float
    recall_limit: int


def index_bundle(bundle: Bundle, settings: MilvusSettings, *, limit: int, rebuild: bool = False, seed: int = 0) -> IndexReport:
    """Make sure that the bundle's collection is there, complete, loaded and exact enough. The alias stays where it is.

    An index that finds too little is built again more thoroughly (`structures`), unless it is being searched.

    Args:
        bundle: opened, so its files were checked.
        settings: where Milvus is, and the least self-recall.
        limit: neighbours that a request asks for; recall is measured at this and at the search width that goes with it.
        rebuild: build it again even if it is complete.
        seed: of the sample of queries.

    Raises:
        DependencyUnavailable: Milvus does not answer, or failed.
        BundleInvalid: the index finds too few of the exact nearest items; the collection is dropped.
    """
    tables = read_tables(bundle.path)
    name = bundle.manifest.collection
    client = connect(settings)
    items = len(tables.items) - 1
    try:
        built = rebuild or not _is_complete(client, name, items)
        for structure in structures(items):
            if built:
                build_collection(client, tables, name, settings, structure)
            ensure_loaded(client, name)
            recall = _recall(settings, name, tables, limit=limit, seed=seed)
            if recall >= settings.self_recall_min:
                return IndexReport(name, items, built, recall, limit)
            if not built and aliased_collection(client, settings.collection_prefix) == name:
                break
            get_logger("index").warning("index finds too little", collection=name, kind=structure.kind, self_recall=round(recall, 4))
            built = True
        _refuse(client, settings, name, recall)
    finally:
        client.close()


def point_alias(settings: MilvusSettings, collection: str) -> list[str]:
    """Move the alias to a collection that `index_bundle` passed, then drop the oldest ones beyond `keep_collections`.

    Returns:
        The collections dropped.
    """
    client = connect(settings)
    try:
        ensure_loaded(client, collection)
        move_alias(client, settings.collection_prefix, collection)
        return prune_collections(client, settings.collection_prefix, settings.keep_collections)
    finally:
        client.close()


def _is_complete(client: Any, name: str, items: int) -> bool:
    return client.has_collection(name) and row_count(client, name) == items


def _recall(settings: MilvusSettings, name: str, tables: BundleTables, *, limit: int, seed: int) -> float:
    with ItemSearch(settings) as search:
        return self_recall(search, name, tables.item_embeddings, limit=limit, seed=seed)


def _refuse(client: Any, settings: MilvusSettings, name: str, recall: float) -> NoReturn:
    if aliased_collection(client, settings.collection_prefix) != name:
        drop_collection(client, name)
    raise BundleInvalid(
        f"the index finds {recall:.1%} of the exact nearest items, below {settings.self_recall_min:.1%}, however it is built; "
        "it was not switched to",
        field="collection",
        value=name,
        fix="build it again with `endcap index build`, or lower milvus.self_recall_min",
    )
