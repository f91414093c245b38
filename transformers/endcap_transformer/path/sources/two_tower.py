"""Two-tower: the items nearest to the person, or to the page, by Milvus with what may be shown in its search expression."""

from collections.abc import Awaitable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import first_eligible
from endcap.release.index.search_filter import SearchFilter, search_expression
from endcap_transformer.path.query import Query
from endcap_transformer.path.resolving import ResolvedRequest
from endcap_transformer.path.sources.source import SourceRequest

SEARCH_LIMIT_MAX = 16_384
SPARE = 1.05
"""The collection knows stock and rules of the day it was built; the search returns so much more to make up for what has gone since."""


class NearestSearch(Protocol):
    """The vector search: Milvus, as `endcap.release.index` gives it, or one that asks it for several lists at once."""

    async def search(
        self, collection: str, embedding: NDArray[np.float32], limit: int, *, where: str | None, timeout_ms: float
    ) -> Candidates:
        """The nearest items of a unit-length float32 [dim] that fulfil `where`, inner product as score."""


class TwoTowerSearch:
    """The source `two_tower`. Where the bundle leaves it out of a person's lists, it still finds what is near a page's items.

    Args:
        search: the vector search.
        timeout_ms: after this a call is given up for good.
    """

    def __init__(self, search: NearestSearch, timeout_ms: float) -> None:
        self._search = search
        self._timeout_ms = timeout_ms

    def __call__(self, request: SourceRequest, quota: int) -> Candidates | Awaitable[Candidates]:
        if request.query is None:
            return Candidates.none()
        if request.resolved.is_given:
            return nearest_of(request.eligible.given, search_vector(request.resolved, request.query), request.resolved, quota)
        if not request.resolved.is_page and not request.resolved.served.manifest.uses_two_tower:
            return Candidates.none()
        return self._nearest(request, request.query, quota)

    async def _nearest(self, request: SourceRequest, query: Query, quota: int) -> Candidates:
        limit = min(int(quota * SPARE) + request.eligible.barred_count, SEARCH_LIMIT_MAX)
        found = await self._search.search(
            query.collection,
            search_vector(request.resolved, query),
            limit,
            where=search_expression(narrowed(request)),
            timeout_ms=self._timeout_ms,
        )
        eligible = first_eligible(found, request.eligible.of, quota)
        return alike(eligible.index, request.resolved) if request.resolved.is_page else eligible


def search_vector(resolved: ResolvedRequest, query: Query) -> NDArray[np.float32]:
    """Where to search: at the person; on a product page or in a cart at the middle of its items, since the ranker knows the person."""
    if not resolved.is_page:
        return query.embedding
    vector = resolved.served.tables.item_embeddings[resolved.items].mean(axis=0)
    unit: NDArray[np.float32] = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
    return unit


def alike(index: NDArray[np.int32], resolved: ResolvedRequest) -> Candidates:
    """Items by how alike they are to the page's: cosines of directions, since lengths and the last dimension say how well items sell.

    Args:
        index: int32 [m], the items.
        resolved: its items are the page's.
    """
    embeddings = resolved.served.tables.item_embeddings
    page, items = embeddings[resolved.items, :-1], embeddings[index, :-1]
    towards = (page / _lengths(page)).mean(axis=0)
    score = (items @ towards) / _lengths(items)[:, 0]
    return Candidates.best(index, score.astype(np.float32), len(index))


def _lengths(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths: NDArray[np.float32] = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-6))
    return lengths


def nearest_of(index: NDArray[np.int32], vector: NDArray[np.float32], resolved: ResolvedRequest, quota: int) -> Candidates:
    """Exactly, of a few items: what a list of given items needs."""
    return Candidates.best(index, resolved.served.tables.item_embeddings[index] @ vector, quota)


def narrowed(request: SourceRequest) -> SearchFilter:
    """The request's filters in the collection's terms."""
    filters, eligible = request.resolved.filters, request.eligible
    return SearchFilter(
        available=eligible.is_filtered,
        categories=eligible.category_codes,
        brands=eligible.brand_codes,
        price_min=filters.price_min,
        price_max=filters.price_max,
    )
