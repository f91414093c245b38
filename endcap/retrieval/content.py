"""Content: items that match by category, brand, price and embedding where purchases say nothing, because the item or the seed is new."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.features.columns import ITEM_NUMERIC
from endcap.retrieval.candidates import Candidates
from endcap.retrieval.eligible import Eligible
from endcap.retrieval.ordering import best_first
from endcap.retrieval.postings import Postings, postings
from endcap.retrieval.preferences import PopularWithin
from endcap.retrieval.user_state import UserState

_PURCHASES = ITEM_NUMERIC.index("purchases_90d")
TASTES_MAX = 8
POSTINGS_MAX = 200
SEEDS_MAX = 10


@dataclass(frozen=True)
class ContentTable:
    """Items without evidence of their own, by what they are; built once a bundle.

    Attributes:
        items: the catalogue.
        embeddings: float32 [n + 1, dim], unit length: the item tower's, which reads attributes.
        has_neighbours: bool [n + 1], items that are bought with others often enough to say what goes with them.
        new_by_leaf, new_by_brand: items that nobody bought of late and that have no neighbours, newest first.
        popular: all items by category and brand, for seeds that are new themselves.
    """

    items: ItemTable
    embeddings: NDArray[np.float32]
    has_neighbours: NDArray[np.bool_]
    new_by_leaf: Postings
    new_by_brand: Postings
    popular: PopularWithin

    @classmethod
    def of(
        cls, items: ItemTable, embeddings: NDArray[np.float32], has_neighbours: NDArray[np.bool_], popular: PopularWithin
    ) -> "ContentTable":
        is_new = (items.numeric[:, _PURCHASES] <= 0) & ~has_neighbours
        is_new[0] = False
        new = np.flatnonzero(is_new).astype(np.int32)
        new = new[np.argsort(-items.created_at_s[new], kind="stable")]
        return cls(
            items=items,
            embeddings=embeddings,
            has_neighbours=has_neighbours,
            new_by_leaf=postings(items.leaf_code[new], new, len(items.categories)),
            new_by_brand=postings(items.brand_code[new], new, len(items.brands)),
            popular=popular,
        )


def content_candidates(table: ContentTable, state: UserState, seeds: NDArray[np.int32], eligible: Eligible, quota: int) -> Candidates:
    """New items of the seeds' and the user's categories and brands; beside a seed that is new itself, what sells in its category and brand.

    Args:
        table: items by what they are.
        state: the user, for favourite categories and brands.
        seeds: int32 [s], the page's or the session's items, the most telling last.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    seeds = np.unique(seeds[-SEEDS_MAX:])
    found = np.unique(np.concatenate([*_new_items(table, state, seeds), *_popular_beside_new(table, seeds)]))
    found = found[eligible(found) & ~np.isin(found, seeds)]
    return best_first(found, _scores(table, state, seeds, found), quota)


def _new_items(table: ContentTable, state: UserState, seeds: NDArray[np.int32]) -> list[NDArray[np.int32]]:
    leaves = np.concatenate([table.items.leaf_code[seeds], _largest(state.leaf_share)])
    brands = np.concatenate([table.items.brand_code[seeds], _largest(state.brand_share)])
    return [np.zeros(0, dtype=np.int32)] + [
        postings_of.of(int(code))[:POSTINGS_MAX]
        for postings_of, codes in ((table.new_by_leaf, leaves), (table.new_by_brand, brands))
        for code in dict.fromkeys(codes.tolist())
    ]


def _popular_beside_new(table: ContentTable, seeds: NDArray[np.int32]) -> list[NDArray[np.int32]]:
    new_seeds = seeds[~table.has_neighbours[seeds]]
    return [table.popular.by_category.of(int(code))[:POSTINGS_MAX] for code in table.items.leaf_code[new_seeds]] + [
        table.popular.by_brand.of(int(code))[:POSTINGS_MAX] for code in table.items.brand_code[new_seeds]
    ]


def _largest(share: NDArray[np.float32]) -> NDArray[np.int64]:
    codes = np.flatnonzero(share)
    return codes[np.argsort(-share[codes], kind="stable")[:TASTES_MAX]]


def _scores(table: ContentTable, state: UserState, seeds: NDArray[np.int32], found: NDArray[np.int32]) -> NDArray[np.float32]:
    score = state.leaf_share[table.items.leaf_code[found]] + state.brand_share[table.items.brand_code[found]]
    if len(seeds):
        score = score + (table.embeddings[found] @ table.embeddings[seeds].T).max(axis=1)
    return np.asarray(score, dtype=np.float32)
