"""Preferences: the most bought items of the categories and brands that a new customer named."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible, first_eligible_places
from endcap.engine.retrieval.ordering import distinct_in_order, scored_by_rank
from endcap.engine.retrieval.postings import Postings, postings, postings_with_ancestors


@dataclass(frozen=True)
class PopularWithin:
    """Every item under its categories (each level) and its brand, most bought first; built once a bundle."""

    by_category: Postings
    by_brand: Postings

    @classmethod
    def of(cls, items: ItemTable) -> "PopularWithin":
        order = items.by_purchases
        return cls(
            by_category=postings_with_ancestors(items.leaf_code[order], order, items.categories),
            by_brand=postings(items.brand_code[order], order, len(items.brands)),
        )


def preferences_candidates(
    table: PopularWithin,
    categories: Sequence[Sequence[int]],
    brands: Sequence[int],
    eligible: Eligible,
    quota: int,
) -> Candidates:
    """The most bought items of every stated taste, a fair share of the quota for each: first the best of each, then the second of each.

    Args:
        table: items by category and brand.
        categories: for every named category its codes (a name may stand at several places of the tree), of any level.
        brands: code of every named brand.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    lists = [table.by_category.of(code) for codes in categories for code in codes] + [table.by_brand.of(code) for code in brands]
    return scored_by_rank(in_turns([_first(index, eligible, quota) for index in lists])[:quota])


def in_turns(lists: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    """The first of each list, then the second of each, and so on; an item that stands in several at its best place only."""
    if not lists:
        return np.zeros(0, dtype=np.int32)
    turn = np.concatenate([np.arange(len(one)) for one in lists])
    return distinct_in_order(np.concatenate(lists)[np.argsort(turn, kind="stable")])


def _first(index: NDArray[np.int32], eligible: Eligible, quota: int) -> NDArray[np.int32]:
    return index[first_eligible_places(index, eligible, quota)]
