"""Content: items that match by category, brand, price and embedding where purchases say nothing, because the item or the seed is new."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible
from endcap.engine.retrieval.neighbour_sums import summed, without
from endcap.engine.retrieval.ordering import distinct_in_order
from endcap.engine.retrieval.postings import Postings, parents, postings
from endcap.engine.retrieval.preferences import PopularWithin
from endcap.engine.retrieval.shares import Shares
from endcap.engine.retrieval.user_state import UserState
from endcap.features.columns import ITEM_NUMERIC

SEEDS_MAX = 5
TASTES_MAX = 5
LISTED = (64, 1024)
"""Items taken from one category or brand, the newest or the most bought; more when too few of the first may be shown."""

BRAND_WEIGHT = 0.5
PARENT_WEIGHT = 0.25
"""A brand says less than the finest category, the category above it less still."""

PROVEN_WEIGHT = 2.0
"""Beside a seed that is new, what sells counts more than what is as new."""

NEW_DAYS = 90.0
"""An item that is older and still has no neighbours is not new: people had their chance."""

EMBEDDING_WEIGHT = 1.0
PRICE_WEIGHT = 0.25
COMPARED_FOR_EACH = 2
"""So many times the quota, the best by category and brand, are compared by embedding and price."""

_AGE_DAYS = ITEM_NUMERIC.index("item_age_days")

WeightedList = tuple[NDArray[np.int32], float]


@dataclass(frozen=True)
class ContentTable:
    """Items by what they are; built once a bundle.

    Attributes:
        items: the catalogue.
        embeddings: float32 [n + 1, dim], unit length: the item tower's, which reads titles, categories, brands and attributes.
        has_neighbours: bool [n + 1], items that are bought with others often enough to say what goes with them.
        new_by_leaf, new_by_brand: items that came of late and have no neighbours yet, newest first.
        popular: all items by category and brand, for seeds that are new themselves.
        parent: int32 [categories], code of the category above.
    """

    items: ItemTable
    embeddings: NDArray[np.float32]
    has_neighbours: NDArray[np.bool_]
    new_by_leaf: Postings
    new_by_brand: Postings
    popular: PopularWithin
    parent: NDArray[np.int32]

    @classmethod
    def of(
        cls, items: ItemTable, embeddings: NDArray[np.float32], has_neighbours: NDArray[np.bool_], popular: PopularWithin
    ) -> "ContentTable":
        """Find the new items of a catalogue; arguments as the attributes."""
        is_new = (items.numeric[:, _AGE_DAYS] < NEW_DAYS) & ~has_neighbours
        is_new[0] = False
        new = np.flatnonzero(is_new).astype(np.int32)
        # Items of unknown age have the smallest time there is, so they stand last.
        new = new[np.argsort(items.created_at_s[new], kind="stable")[::-1]]
        return cls(
            items=items,
            embeddings=embeddings,
            has_neighbours=has_neighbours,
            new_by_leaf=postings(items.leaf_code[new], new, len(items.categories)),
            new_by_brand=postings(items.brand_code[new], new, len(items.brands)),
            popular=popular,
            parent=parents(items.categories),
        )


def content_candidates(table: ContentTable, state: UserState, seeds: NDArray[np.int32], eligible: Eligible, quota: int) -> Candidates:
    """New items of the seeds' and the user's categories and brands; beside a seed that is new itself, what sells in its category and brand.

    The share of a category or brand gives the order, then likeness to the seeds: cosine of the embeddings and closeness of the price.

    Args:
        table: items by what they are.
        state: the user, for favourite categories and brands.
        seeds: int32 [s], the page's or the session's items, the newest last.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    seeds = distinct_in_order(seeds[-SEEDS_MAX:])
    lists = [*_new_items(table, state, seeds), *_beside_new_seeds(table, seeds)]
    lists = [(index, weight) for index, weight in lists if len(index)]
    longest = max((len(index) for index, _ in lists), default=0)
    found = Candidates.none()
    for listed in LISTED:
        found = _by_share(lists, listed, seeds, eligible, COMPARED_FOR_EACH * quota)
        if len(found.index) >= quota or longest <= listed:
            break
    return Candidates.best(found.index, found.score + _likeness(table, seeds, found.index), quota)


def _by_share(lists: list[WeightedList], listed: int, seeds: NDArray[np.int32], eligible: Eligible, quota: int) -> Candidates:
    """The first `listed` of every list, scored by the lists' weights, half of it at a list's end."""
    if not lists:
        return Candidates.none()
    firsts = [index[:listed] for index, _ in lists]
    lengths = [len(index) for index in firsts]
    weight = np.repeat(np.array([weight for _, weight in lists], dtype=np.float32), lengths)
    fading = np.linspace(1.0, 0.5, listed, dtype=np.float32)
    index, score = summed(np.concatenate(firsts), weight * np.concatenate([fading[:length] for length in lengths]))
    kept = without(index, seeds)
    kept &= eligible(index)
    return Candidates.best(index[kept], score[kept], quota)


def _new_items(table: ContentTable, state: UserState, seeds: NDArray[np.int32]) -> Iterable[WeightedList]:
    share = 1.0 / max(len(seeds), 1)
    for code in table.items.leaf_code[seeds].tolist():
        yield table.new_by_leaf.of(code), share
    for code in table.items.brand_code[seeds].tolist():
        yield table.new_by_brand.of(code), share * BRAND_WEIGHT
    for code, of_user in _largest(state.leaf_share):
        yield table.new_by_leaf.of(code), of_user
    for code, of_user in _largest(state.brand_share):
        yield table.new_by_brand.of(code), of_user * BRAND_WEIGHT


def _beside_new_seeds(table: ContentTable, seeds: NDArray[np.int32]) -> Iterable[WeightedList]:
    share = PROVEN_WEIGHT / max(len(seeds), 1)
    for seed in seeds[~table.has_neighbours[seeds]].tolist():
        leaf, brand = int(table.items.leaf_code[seed]), int(table.items.brand_code[seed])
        yield table.popular.by_category.of(leaf), share
        yield table.popular.by_category.of(int(table.parent[leaf])), share * PARENT_WEIGHT
        yield table.popular.by_brand.of(brand), share * BRAND_WEIGHT


def _largest(shares: Shares) -> list[tuple[int, float]]:
    order = np.argsort(-shares.share, kind="stable")[:TASTES_MAX]
    return list(zip(shares.code[order].tolist(), shares.share[order].tolist(), strict=True))


def _likeness(table: ContentTable, seeds: NDArray[np.int32], found: NDArray[np.int32]) -> NDArray[np.float32]:
    """float32 [m]: cosine with the middle of the seeds, and closeness of the price to theirs; 0 without seeds."""
    if not len(seeds):
        return np.zeros(len(found), dtype=np.float32)
    cosine = _directions(table.embeddings, found) @ _directions(table.embeddings, seeds).mean(axis=0)
    return np.asarray(EMBEDDING_WEIGHT * cosine + PRICE_WEIGHT * _price_closeness(table.items.price, seeds, found), dtype=np.float32)


def _directions(embeddings: NDArray[np.float32], index: NDArray[np.int32]) -> NDArray[np.float32]:
    """float32 [m, dim - 1], unit length: without the last dimension, which only holds how little an item sells."""
    direction = embeddings.take(index, axis=0)[:, :-1]
    length = np.sqrt(np.einsum("md,md->m", direction, direction))
    return np.asarray(direction / np.maximum(length, np.float32(1e-12))[:, None], dtype=np.float32)


def _price_closeness(price: NDArray[np.float32], seeds: NDArray[np.int32], found: NDArray[np.int32]) -> NDArray[np.float32]:
    """float32 [m] in [0, 1]: 1 at the seeds' mean price, 1/2 at twice or half of it; 0 for unknown prices."""
    known = price[seeds]
    known = known[known > 0]
    if not len(known):
        return np.zeros(len(found), dtype=np.float32)
    ratio = price[found] / known.mean()
    closeness = np.minimum(ratio, 1 / np.maximum(ratio, np.float32(1e-6)))
    return np.where(ratio > 0, closeness, np.float32(0))
