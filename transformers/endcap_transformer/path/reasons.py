"""Why an item is in the list, in a sentence that a customer may read."""

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import SOURCES
from endcap.engine.retrieval.item_to_item import ItemToItem
from endcap.engine.retrieval.user_state import UserState
from endcap_transformer.path.resolving import ResolvedRequest

REGULARLY_BASKETS = 3
POPULAR = "Popular right now"
BOUGHT_BEFORE = "You bought this before"
BOUGHT_REGULARLY = "You buy this regularly"
BY_SOURCE = {
    "popular": POPULAR,
    "trending": "Trending now",
    "left_in_cart": "Still in your cart",
    "recently_viewed": "You looked at this lately",
    "similar_users": "Liked by people like you",
    "preferences": "Popular in what you like",
    "picks": "Our pick for you",
}
"""Sentences that depend on the source alone."""

_EASE = SOURCES.index("ease")


def reasons(index: NDArray[np.int32], main_source: NDArray[np.int8], request: ResolvedRequest, state: UserState) -> list[str]:
    """One sentence an item, by the source that ranked it highest.

    Args:
        index: int32 [m], the items.
        main_source: int8 [m], places in SOURCES.
        request: the request.
        state: the person.
    """
    bought = _baskets(index, state)
    seeds = np.concatenate([request.items, state.session, state.history[::-1]]) if not request.is_page else request.items
    tables = request.served.tables
    seed = nearest_seed(index, seeds, tables.item_to_item)
    by_ease = main_source == _EASE
    if by_ease.any():
        seed[by_ease] = nearest_seed(index[by_ease], seeds, tables.ease)
    otherwise = _picked(request, state)
    title_of = tables.items.title_of
    sentences = []
    for source, baskets, place in zip(main_source.tolist(), bought.tolist(), seed.tolist(), strict=True):
        name = SOURCES[source]
        if name == "buy_again" or (name == "two_tower" and baskets and not request.is_page):
            sentences.append(BOUGHT_REGULARLY if baskets >= REGULARLY_BASKETS else BOUGHT_BEFORE)
        elif name in ("item_to_item", "complements", "ease") and place:
            sentences.append(f"Goes with {title_of(place)}")
        else:
            sentences.append(BY_SOURCE.get(name, otherwise))
    return sentences


def _picked(request: ResolvedRequest, state: UserState) -> str:
    if request.is_given:
        return "Matches your search"
    if request.is_page:
        return f"Similar to {request.served.tables.items.title_of(int(request.items[-1]))}"
    if len(state.session):
        return "Picked for you from what you looked at lately"
    return "Picked for you from what you bought lately" if len(state.history) else POPULAR


def _baskets(index: NDArray[np.int32], state: UserState) -> NDArray[np.float32]:
    """float32 [m]: baskets the user had each item in."""
    baskets = np.zeros(len(index), dtype=np.float32)
    place, found = state.past_places(index)
    baskets[found] = state.times_bought[place[found]]
    return baskets


def nearest_seed(index: NDArray[np.int32], seeds: NDArray[np.int32], table: ItemToItem) -> NDArray[np.int32]:
    """int32 [m]: of `seeds` the item that each item is most often bought with, the first of equals; 0 where none is a neighbour."""
    if not len(seeds) or not len(index):
        return np.zeros(len(index), dtype=np.int32)
    neighbours, weights = table.index[seeds], table.weight[seeds]
    best_weight = np.zeros(len(index), dtype=np.float32)
    best = np.zeros(len(index), dtype=np.int32)
    order = np.argsort(index, kind="stable")
    place = np.minimum(np.searchsorted(index[order], neighbours), len(index) - 1)
    hit = index[order][place] == neighbours
    rows, columns = np.nonzero(hit)
    targets, weight = order[place[rows, columns]], weights[rows, columns]
    lightest_first = np.lexsort((-rows, weight))
    best[targets[lightest_first]] = seeds[rows[lightest_first]]
    best_weight[targets[lightest_first]] = weight[lightest_first]
    best[best_weight <= 0] = 0
    return best
