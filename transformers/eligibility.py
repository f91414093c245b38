"""Eligibility: one mask over the catalogue says what a list may show; every source looks at it before it spends its quota."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.contracts.request import Filters
from endcap.retrieval.user_state import UserState
from transformers.category_tree import CategoryTree
from transformers.resolving import ResolvedRequest


@dataclass(frozen=True)
class Eligibility:
    """What may be shown.

    Attributes:
        mask: bool [items + 1].
        is_narrow: whether the request itself narrows the catalogue (filters, search results), so that the nearest items overall
            may all lie outside.
    """

    mask: NDArray[np.bool_]
    is_narrow: bool

    def indices(self) -> NDArray[np.int32]:
        return np.flatnonzero(self.mask).astype(np.int32)


def eligibility(request: ResolvedRequest, state: UserState) -> Eligibility:
    """Available, within the filters, not excluded, and none of the request's own items; a search shows its own items only.

    When none of a search's items may be shown, the list falls back to the whole catalogue.
    """
    items = request.served.tables.items
    mask = items.available & _within_filters(request.instance.filters, items, request.served.categories)
    mask[request.excluded] = False
    if request.instance.filters.new_to_user:
        mask[_bought(state)] = False
    if request.is_given:
        given = np.zeros_like(mask)
        given[request.items] = True
        given &= mask
        if given.any():
            return Eligibility(given, is_narrow=True)
    mask[request.items] = False
    return Eligibility(mask, is_narrow=request.instance.filters != Filters())


def _within_filters(filters: Filters, items: ItemTable, categories: CategoryTree) -> NDArray[np.bool_]:
    """bool [items + 1]; an item of unknown price is outside any price range."""
    mask = np.ones(len(items), dtype=bool)
    mask[0] = False
    if filters.categories is not None:
        inside = categories.within(filters.categories)
        mask &= inside[items.leaf_code]
    if filters.brands is not None:
        codes = items.brands.codes(filters.brands)
        mask &= np.isin(items.brand_code, codes[codes > 0])
    if filters.price_min is not None:
        mask &= items.price >= filters.price_min
    if filters.price_max is not None:
        mask &= items.price <= filters.price_max
    return mask


def _bought(state: UserState) -> NDArray[np.int32]:
    """What the user bought, as far as the features remember; the session's items stand at the end of the history and are only looks."""
    bought_lately = state.history[: len(state.history) - min(len(state.session), len(state.history))]
    return np.concatenate([state.pair_index, bought_lately])
