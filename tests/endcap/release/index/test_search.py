"""What a search may return is decided in Milvus, and both clients answer alike."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from endcap.contracts.request import PRICE_MAX
from endcap.core.errors import CallRefused, DependencyUnavailable
from endcap.core.settings import MilvusSettings
from endcap.release.bundle.tables import BundleTables
from endcap.release.index.collection import build_collection, drop_collection
from endcap.release.index.search import AsyncItemSearch, ItemSearch
from endcap.release.index.search_filter import SearchFilter, search_expression

NAME = "filtered_1"
PATIENT_MS = 60_000.0


@pytest.fixture
def shop(tables: BundleTables) -> BundleTables:
    """Every third item is out of stock."""
    available = np.arange(len(tables.items)) % 3 > 0
    return replace(tables, items=replace(tables.items, available=available))


@pytest.fixture
def collection(client: Any, milvus: MilvusSettings, shop: BundleTables) -> Iterator[str]:
    if not client.has_collection(NAME):
        build_collection(client, shop, NAME, milvus)
    yield NAME


def within(narrowed: SearchFilter, shop: BundleTables) -> NDArray[np.bool_]:
    items = shop.items
    mask = items.available if narrowed.available else np.ones(len(items), dtype=bool)
    if narrowed.categories is not None:
        mask = mask & np.isin(items.leaf_code, narrowed.categories)
    if narrowed.brands is not None:
        mask = mask & np.isin(items.brand_code, narrowed.brands)
    if narrowed.price_min is not None:
        mask = mask & (items.price >= narrowed.price_min)
    if narrowed.price_max is not None:
        mask = mask & (items.price <= narrowed.price_max)
    return mask & (np.arange(len(items)) > 0)


@pytest.mark.parametrize(
    "narrowed",
    [
        SearchFilter(),
        SearchFilter(available=False),
        SearchFilter(categories=[2, 3]),
        SearchFilter(brands=[1], categories=[4]),
        SearchFilter(available=False, price_min=2.0, price_max=3.0),
        SearchFilter(available=False, price_max=2.0),
        SearchFilter(categories=[]),
    ],
)
async def test_a_filtered_search_finds_what_exact_search_finds_among_the_items_inside(
    collection: str, search: ItemSearch, milvus: MilvusSettings, shop: BundleTables, narrowed: SearchFilter
) -> None:
    query, where = shop.item_embeddings[9], search_expression(narrowed)
    inside = np.flatnonzero(within(narrowed, shop))
    exact = inside[np.argsort(-(shop.item_embeddings[inside] @ query), kind="stable")][:50]
    async with AsyncItemSearch(milvus) as other:
        answers = [
            search.search(collection, query, 50, where=where, timeout_ms=PATIENT_MS),
            await other.search(collection, query, 50, where=where, timeout_ms=PATIENT_MS),
        ]
    for found in answers:
        assert set(found.index.tolist()) <= set(inside.tolist())
        assert len(set(found.index.tolist()) & set(exact.tolist())) >= 0.9 * len(exact)
        np.testing.assert_allclose(found.score, shop.item_embeddings[found.index] @ query, atol=1e-5)


def test_several_queries_have_their_own_lists(collection: str, search: ItemSearch, shop: BundleTables) -> None:
    index, score = search.search_many(collection, shop.item_embeddings[1:4], 5, timeout_ms=PATIENT_MS)
    assert [rows[0] for rows in index] == [1, 2, 3]
    assert [len(rows) for rows in score] == [5, 5, 5]


async def test_a_late_search_is_given_up_without_blocking_the_loop(milvus: MilvusSettings) -> None:
    async with AsyncItemSearch(milvus) as search:
        # The deadline travels with the call: Milvus may give up first and say so in words of its own.
        with pytest.raises(DependencyUnavailable, match=r"DEADLINE_EXCEEDED|deadline exceeded"):
            await search.search("any_1", np.zeros(16, np.float32), 5, timeout_ms=0.001)


async def test_a_collection_nobody_knows_is_a_clear_error(milvus: MilvusSettings) -> None:
    async with AsyncItemSearch(milvus) as search:
        with pytest.raises(DependencyUnavailable, match="nobody_1"):
            await search.search("nobody_1", np.zeros(16, np.float32), 5, timeout_ms=PATIENT_MS)


async def test_a_milvus_that_is_gone_is_a_clear_error() -> None:
    async with AsyncItemSearch(MilvusSettings(port=1)) as search:
        with pytest.raises(DependencyUnavailable, match="UNAVAILABLE"):
            await search.search("any_1", np.zeros(16, np.float32), 5, timeout_ms=PATIENT_MS)


@pytest.mark.parametrize("number", ["inf", "nan", "-inf"])
def test_a_number_milvus_cannot_read_is_the_calls_fault(collection: str, search: ItemSearch, number: str) -> None:
    with pytest.raises(CallRefused, match="refused"):
        search.search(collection, np.ones(16, np.float32), 5, timeout_ms=PATIENT_MS, where=f"0.0 <= price <= {number}")


@pytest.mark.parametrize("limit", [0, -1, 16_385])
def test_a_limit_milvus_does_not_have_is_the_calls_fault(collection: str, search: ItemSearch, limit: int) -> None:
    with pytest.raises(CallRefused, match="topk"):
        search.search(collection, np.ones(16, np.float32), limit, timeout_ms=PATIENT_MS)


@pytest.mark.parametrize("price", [0.0, -0.0, 5e-324, PRICE_MAX])
def test_every_price_of_a_request_is_an_expression_that_milvus_reads(collection: str, search: ItemSearch, price: float) -> None:
    for narrowed in (SearchFilter(price_max=price), SearchFilter(price_min=price), SearchFilter(price_min=price, price_max=price)):
        search.search(collection, np.ones(16, np.float32), 5, timeout_ms=PATIENT_MS, where=search_expression(narrowed))


def test_an_expression_milvus_cannot_read_is_a_clear_error(collection: str, search: ItemSearch) -> None:
    with pytest.raises(CallRefused, match="refused"):
        search.search(collection, np.zeros(16, np.float32), 5, where="colour == 1", timeout_ms=PATIENT_MS)


def test_dropping_it_leaves_nothing(client: Any, milvus: MilvusSettings, tables: BundleTables) -> None:
    build_collection(client, tables, "gone_1", milvus)
    drop_collection(client, "gone_1")
    assert not client.has_collection("gone_1")
