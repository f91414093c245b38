"""A collection holds every item, finds what exact search finds, and is only pointed at when it does."""

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from pymilvus import MilvusException

from endcap.catalogue.item_table import ItemTable
from endcap.core.errors import BundleInvalid, DependencyUnavailable
from endcap.core.settings import MilvusSettings
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.tables import BundleTables, read_tables
from endcap.release.index.alias import aliased_collection, list_collections, move_alias, prune_collections
from endcap.release.index.bundle_index import index_bundle, point_alias
from endcap.release.index.collection import Structure, build_collection, collection_name, row_count, self_recall, structures
from endcap.release.index.connection import grpc_service
from endcap.release.index.readiness import loaded_segments
from endcap.release.index.search import ItemSearch


@pytest.fixture
def own_prefix(milvus: MilvusSettings, request: pytest.FixtureRequest) -> MilvusSettings:
    """A prefix a test, so that tests do not see each other's collections."""
    name = "".join(character for character in request.node.name if character.isalnum())[:40]
    return milvus.model_copy(update={"collection_prefix": f"t{name}"})


def test_search_finds_what_exact_search_finds_and_every_field_is_there(
    client: Any, search: ItemSearch, milvus: MilvusSettings, tables: BundleTables
) -> None:
    name = collection_name("exact", 1)
    assert build_collection(client, tables, name, milvus) == len(tables.item_embeddings) - 1 == row_count(client, name)
    query = tables.item_embeddings[7]
    found = search.search(name, query, 20, timeout_ms=60_000)
    exact = np.argsort(-(tables.item_embeddings[1:] @ query), kind="stable")[:20] + 1
    assert set(found.index) == set(exact)
    assert found.index[0] == 7
    np.testing.assert_allclose(found.score, tables.item_embeddings[found.index] @ query, atol=1e-5)
    assert np.all(np.diff(found.score) <= 1e-6)
    assert self_recall(search, name, tables.item_embeddings, limit=100) >= 0.99
    (row,) = client.query(name, filter="item_index == 1", output_fields=["available", "category", "brand", "price"])
    assert row["available"] is True
    assert row["category"] == tables.items.leaf_code[1]
    assert row["brand"] == tables.items.brand_code[1]
    assert row["price"] == -1.0


def test_a_catalogue_too_small_for_an_index_is_searched_all_the_same(
    client: Any, search: ItemSearch, milvus: MilvusSettings, tables: BundleTables
) -> None:
    ids = tables.items.ids.names[:20]
    rows = pl.DataFrame({"item_id": ids, "title": ids, "category_path": [["shop"]] * 20, "brand": ids, "availability": "in_stock"})
    rows = rows.with_columns(price=pl.lit(None, pl.Float64), created_at=pl.lit(None, pl.Datetime("us", "UTC")))
    few = replace(tables, items=ItemTable.from_items(rows), item_embeddings=tables.item_embeddings[:21])
    build_collection(client, few, "few_1", milvus)
    assert search.search("few_1", few.item_embeddings[3], 5, timeout_ms=60_000).index[0] == 3


def test_every_row_is_in_one_indexed_segment(client: Any, milvus: MilvusSettings, tables: BundleTables) -> None:
    build_collection(client, tables, "whole_1", milvus)
    with grpc_service(milvus) as service:
        segments = loaded_segments(service, "whole_1")
    assert [(segment.rows, segment.is_indexed) for segment in segments] == [(len(tables.items) - 1, True)]


def test_embeddings_that_do_not_fit_are_refused(client: Any, milvus: MilvusSettings, tables: BundleTables) -> None:
    with pytest.raises(BundleInvalid, match="items"):
        build_collection(client, replace(tables, item_embeddings=tables.item_embeddings[:-1]), "misfit_1", milvus)
    with pytest.raises(BundleInvalid, match="length 1"):
        build_collection(client, replace(tables, item_embeddings=tables.item_embeddings * 2), "misfit_1", milvus)
    assert not client.has_collection("misfit_1")


def test_a_collection_nobody_knows_is_a_clear_error(search: ItemSearch) -> None:
    with pytest.raises(DependencyUnavailable, match="nobody_1"):
        search.search("nobody_1", np.zeros(16, np.float32), 5, timeout_ms=60_000)


def test_a_search_that_is_late_is_given_up() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        ItemSearch(MilvusSettings(port=silent.getsockname()[1])) as search,
        pytest.raises(DependencyUnavailable, match=r"(?i)deadline.exceeded"),
    ):
        search.search("any_1", np.zeros(16, np.float32), 5, timeout_ms=50)


def test_a_failed_check_leaves_the_alias_and_drops_the_collection(
    own_prefix: MilvusSettings, make_bundle: Callable[..., Bundle], client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prefix = own_prefix.collection_prefix
    good = make_bundle(1, prefix=prefix)
    index_bundle(good, own_prefix, limit=50)
    point_alias(own_prefix, good.manifest.collection)
    bad = make_bundle(2, seed=1, prefix=prefix)
    monkeypatch.setattr("endcap.release.index.bundle_index.structures", lambda items: structures(items)[:1])
    monkeypatch.setattr("endcap.release.index.bundle_index.self_recall", lambda *_, **__: 0.9)
    with pytest.raises(BundleInvalid, match=r"finds 90\.0% of the exact nearest items"):
        index_bundle(bad, own_prefix, limit=50)
    assert aliased_collection(client, prefix) == good.manifest.collection
    assert not client.has_collection(bad.manifest.collection)


def test_a_collection_of_other_embeddings_is_built_again(
    own_prefix: MilvusSettings, make_bundle: Callable[..., Bundle], client: Any, tables: BundleTables
) -> None:
    bundle = make_bundle(2, seed=1, prefix=own_prefix.collection_prefix)
    build_collection(client, tables, bundle.manifest.collection, own_prefix)
    report = index_bundle(bundle, own_prefix, limit=50)
    assert report.built
    assert report.self_recall >= own_prefix.self_recall_min


def test_old_collections_go_by_count_but_never_the_one_in_use(own_prefix: MilvusSettings, client: Any) -> None:
    prefix = own_prefix.collection_prefix
    for version in (1, 2, 3):
        client.create_collection(f"{prefix}_{version}", dimension=4)
    client.create_collection(f"{prefix}_other", dimension=4)
    move_alias(client, prefix, f"{prefix}_1")
    assert [state.version for state in list_collections(client, prefix)] == [3, 2, 1]
    assert prune_collections(client, prefix, keep=1) == [f"{prefix}_2"]
    move_alias(client, prefix, f"{prefix}_3")
    assert {state.name: state.is_aliased for state in list_collections(client, prefix)} == {f"{prefix}_3": True, f"{prefix}_1": False}
    assert prune_collections(client, prefix, keep=1) == [f"{prefix}_1"]
    assert client.has_collection(f"{prefix}_other")


def test_an_alias_that_cannot_move_says_why_and_stays(own_prefix: MilvusSettings, client: Any) -> None:
    prefix = own_prefix.collection_prefix
    client.create_collection(f"{prefix}_1", dimension=4)
    move_alias(client, prefix, f"{prefix}_1")
    with pytest.raises(MilvusException, match="collection not found"):
        move_alias(client, prefix, f"{prefix}_9")
    assert aliased_collection(client, prefix) == f"{prefix}_1"


class WithoutAliases:
    """A Milvus that is too late with one answer."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def describe_alias(self, alias: str) -> Any:
        raise MilvusException(code=65535, message=f"[describe_alias] Retry timeout: {alias}")


def test_an_alias_of_which_milvus_does_not_say_anything_is_not_taken_for_none(client: Any) -> None:
    assert aliased_collection(client, "none_of_this_name") is None
    with pytest.raises(MilvusException):
        aliased_collection(WithoutAliases(client), "none_of_this_name")


def test_old_collections_stay_while_it_is_not_known_which_is_in_use(own_prefix: MilvusSettings, client: Any) -> None:
    prefix = own_prefix.collection_prefix
    client.create_collection(f"{prefix}_1", dimension=4)
    with pytest.raises(MilvusException):
        prune_collections(WithoutAliases(client), prefix, keep=0)
    assert client.has_collection(f"{prefix}_1")


def test_a_complete_collection_is_only_checked_and_a_rebuilt_one_keeps_its_alias(
    own_prefix: MilvusSettings, make_bundle: Callable[..., Bundle], client: Any
) -> None:
    bundle = make_bundle(1, prefix=own_prefix.collection_prefix)
    assert index_bundle(bundle, own_prefix, limit=50).built
    point_alias(own_prefix, bundle.manifest.collection)
    second = index_bundle(bundle, own_prefix, limit=50)
    assert not second.built
    assert second.self_recall >= own_prefix.self_recall_min
    assert index_bundle(bundle, own_prefix, limit=50, rebuild=True).built
    point_alias(own_prefix, bundle.manifest.collection)
    assert aliased_collection(client, own_prefix.collection_prefix) == bundle.manifest.collection


@pytest.fixture
def thin_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual index is too thin to find anything far away."""
    thin = Structure("HNSW", {"M": 4, "efConstruction": 8})
    monkeypatch.setattr("endcap.release.index.bundle_index.structures", lambda items: [thin, *structures(items)[-1:]])


@pytest.mark.usefixtures("thin_graph")
def test_an_index_that_finds_too_little_is_built_again_until_it_finds_enough(
    own_prefix: MilvusSettings, make_bundle: Callable[..., Bundle], search: ItemSearch
) -> None:
    bundle = make_bundle(1, prefix=own_prefix.collection_prefix)
    exact = own_prefix.model_copy(update={"self_recall_min": 1.0})
    report = index_bundle(bundle, exact, limit=50)
    assert (report.built, report.self_recall) == (True, 1.0)
    embeddings = read_tables(bundle.path).item_embeddings
    found = search.search(report.collection, embeddings[3], 20, timeout_ms=60_000)
    nearest = np.sort(embeddings[1:] @ embeddings[3])[::-1][:20]
    np.testing.assert_allclose(found.score, nearest, atol=1e-5)


@pytest.mark.usefixtures("thin_graph")
def test_an_index_that_is_searched_is_not_taken_away_to_be_built_again(
    own_prefix: MilvusSettings, make_bundle: Callable[..., Bundle], client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(1, prefix=own_prefix.collection_prefix)
    index_bundle(bundle, own_prefix, limit=50)
    point_alias(own_prefix, bundle.manifest.collection)
    monkeypatch.setattr("endcap.release.index.bundle_index.self_recall", lambda *_, **__: 0.5)
    with pytest.raises(BundleInvalid, match=r"finds 50\.0% of the exact nearest items.*it was not switched to"):
        index_bundle(bundle, own_prefix, limit=50)
    assert aliased_collection(client, own_prefix.collection_prefix) == bundle.manifest.collection
    assert row_count(client, bundle.manifest.collection) == len(read_tables(bundle.path).item_embeddings) - 1
