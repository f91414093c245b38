"""Retrieval: candidates of every source, the two-tower's from Milvus while the others are gathered in memory."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from endcap.retrieval.buy_again import buy_again_candidates
from endcap.retrieval.candidates import Candidates
from endcap.retrieval.popular import segment_name, segments_of
from endcap.retrieval.user_state import UserState
from transformers.eligibility import Eligibility
from transformers.query import Query
from transformers.resolving import ResolvedRequest
from transformers.stage_trace import StageTrace

SEARCH_THREADS = 4
EXACT_ITEMS_MAX = 20_000
"""Within filters, up to so many items are compared with the query one by one: an index over all items would mostly return others."""
SEARCH_LIMIT_MAX = 16_384


class VectorSearch(Protocol):
    """Milvus, as `endcap.index.search` gives it."""

    def check(self, collection: str) -> None:
        """Raise EndcapError when the collection is not there and loaded."""

    def search(self, collection: str, embedding: NDArray[np.float32], limit: int) -> Candidates:
        """The nearest items of a unit-length float32 [dim], inner product as score."""


class TwoTowerSearch:
    """Searches in threads of its own: the client blocks."""

    def __init__(self, index: VectorSearch) -> None:
        self._index = index
        self._threads = ThreadPoolExecutor(SEARCH_THREADS, thread_name_prefix="search")

    def start(self, collection: str, embedding: NDArray[np.float32], limit: int) -> asyncio.Future[Candidates]:
        return asyncio.get_running_loop().run_in_executor(self._threads, self._index.search, collection, embedding, limit)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


async def retrieve(
    search: TwoTowerSearch,
    request: ResolvedRequest,
    state: UserState,
    query: Query | None,
    eligible: Eligibility,
    *,
    trace: StageTrace,
    timeout_ms: float,
) -> dict[str, Candidates]:
    """Candidates by source, eligible ones only; the two-tower is missing when there is no query or the search failed."""
    pending = _start_search(search, request, state, query, eligible)
    by_source = _in_memory(request, state, eligible)
    if query is not None and pending is None:
        by_source["two_tower"] = _exact(search_vector(request, query), request, eligible)
    if pending is not None:
        async with trace.fallible("two_tower", timeout_ms):
            by_source["two_tower"] = _eligible(await pending, eligible, request.served.quotas.two_tower_quota)
    return by_source


def search_vector(request: ResolvedRequest, query: Query) -> NDArray[np.float32]:
    """Where to search: at the person; on a product page or in a cart at the middle of its items, since the ranker knows the person."""
    if not request.is_page:
        return query.embedding
    vector = request.served.tables.item_embeddings[request.items].mean(axis=0)
    unit: NDArray[np.float32] = (vector / max(float(np.linalg.norm(vector)), 1e-12)).astype(np.float32)
    return unit


def _start_search(
    search: TwoTowerSearch, request: ResolvedRequest, state: UserState, query: Query | None, eligible: Eligibility
) -> asyncio.Future[Candidates] | None:
    quota = request.served.quotas.two_tower_quota
    if query is None or not quota or (eligible.is_narrow and np.count_nonzero(eligible.mask) <= EXACT_ITEMS_MAX):
        return None
    bought = len(state.pair_index) if request.instance.filters.new_to_user else 0
    spare = len(request.items) + len(request.excluded) + bought
    return search.start(query.collection, search_vector(request, query), min(quota + spare, SEARCH_LIMIT_MAX))


def _in_memory(request: ResolvedRequest, state: UserState, eligible: Eligibility) -> dict[str, Candidates]:
    tables, quotas = request.served.tables, request.served.quotas
    everything = len(eligible.mask)
    if request.is_page:
        nobody = replace(state, history=state.history[:0], history_age_days=state.history_age_days[:0], session=state.session[:0])
        neighbours = tables.item_to_item.candidates(nobody, request.items, everything)
        return {"item_to_item": _eligible(neighbours, eligible, quotas.item_to_item_quota)}
    neighbours = tables.item_to_item.candidates(state, request.items, everything)
    popular = tables.popularity.candidates(_segments(request, state), everything)
    return {
        "item_to_item": _eligible(neighbours, eligible, quotas.item_to_item_quota),
        "buy_again": _eligible(buy_again_candidates(state, everything), eligible, quotas.buy_again_quota),
        "popular": _eligible(popular, eligible, quotas.popular_quota),
    }


def _segments(request: ResolvedRequest, state: UserState) -> list[str]:
    """Segments the person is in, the request's own region first."""
    geo = request.instance.context.geo
    of_user = segments_of(state.categories, request.served.tables.user_vocabularies)
    return [segment_name("region", geo), *of_user] if geo else of_user


def _eligible(candidates: Candidates, eligible: Eligibility, quota: int) -> Candidates:
    keep = eligible.mask[candidates.index]
    return Candidates(candidates.index[keep][:quota], candidates.score[keep][:quota])


def _exact(vector: NDArray[np.float32], request: ResolvedRequest, eligible: Eligibility) -> Candidates:
    index = eligible.indices()
    quota = max(request.served.quotas.two_tower_quota, 1)
    return Candidates.best(index, request.served.tables.item_embeddings[index] @ vector, quota)
