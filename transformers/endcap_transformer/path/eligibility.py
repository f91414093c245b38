"""Eligibility: which items a list may show, answered for a source's items at a time, so that no request walks the whole catalogue."""

import numpy as np
from numpy.typing import NDArray

from endcap.catalogue.item_table import ItemTable
from endcap.contracts.signals import PURCHASE_CODE
from endcap.engine.retrieval.eligible import Eligible
from endcap.engine.retrieval.user_state import UserState
from endcap_transformer.path.resolving import NO_ITEMS, ResolvedRequest


class Eligibility:
    """Available, within the filters, not hidden by a rule, not excluded, and none of the request's own items.

    A list of given items (search) shows those only; when none of them may be shown, it falls back to the whole catalogue.

    Args:
        request: the request.
        state: the person, for `filters.new_to_user`.
        hidden: bool [items + 1], items that the rules exclude; None when there are none.
    """

    def __init__(self, request: ResolvedRequest, state: UserState, hidden: NDArray[np.bool_] | None) -> None:
        self._items = request.served.tables.items
        self._filters = request.filters
        self._hidden = hidden
        self._is_filtered = request.is_filtered
        own = NO_ITEMS if request.surface.items == "given" else request.items
        bought = _bought(state) if self._filters.new_to_user else NO_ITEMS
        self._barred = np.concatenate([request.excluded, own, bought]) if len(request.excluded) + len(own) + len(bought) else NO_ITEMS
        self._inside = request.served.categories.within(self._filters.categories) if self._filters.categories is not None else None
        self.brand_codes = _brand_codes(self._filters.brands, self._items) if self._filters.brands is not None else None
        """Codes of the brands that the request filters by; None without such a filter."""
        self.removed: dict[str, int] = {}
        """Items that each check removed, over all sources."""
        self._checks = self._all_checks()
        self.given = request.items[self.of(request.items)] if request.is_given else NO_ITEMS
        """int32 [g]: of the items that are to be put in order, those that may be shown; then nothing else may."""
        if len(self.given):
            self._checks.append(("not_given", lambda index: np.isin(index, self.given)))

    @property
    def category_codes(self) -> list[int] | None:
        """Codes of the finest categories that the request filters by; None without such a filter."""
        return None if self._inside is None else np.flatnonzero(self._inside).tolist()

    @property
    def is_filtered(self) -> bool:
        """Whether the request itself narrows the catalogue, so that the nearest items overall may all lie outside."""
        return self._is_filtered

    @property
    def barred_count(self) -> int:
        """Items left out by name: how many more neighbours an index has to return."""
        return len(self._barred)

    def of(self, index: NDArray[np.int32]) -> NDArray[np.bool_]:
        """bool [m]: which of the items may be shown; what each check removed is added up in `removed`."""
        keep = self._items.available[index]
        self._count("unavailable", len(index), keep)
        for name, check in self._checks:
            before = int(np.count_nonzero(keep))
            keep &= check(index)
            self._count(name, before, keep)
        return keep

    def _all_checks(self) -> list[tuple[str, Eligible]]:
        checks: list[tuple[str, Eligible]] = []
        if self._is_filtered:
            checks.append(("request_filters", self._within_filters))
        if self._hidden is not None:
            hidden = self._hidden
            checks.append(("rules", lambda index: ~hidden[index]))
        if len(self._barred):
            checks.append(("excluded", lambda index: ~np.isin(index, self._barred)))
        return checks

    def _within_filters(self, index: NDArray[np.int32]) -> NDArray[np.bool_]:
        """An item of unknown price is outside any price range."""
        items, filters = self._items, self._filters
        keep = np.ones(len(index), dtype=bool)
        if self._inside is not None:
            keep &= self._inside[items.leaf_code[index]]
        if self.brand_codes is not None:
            keep &= np.isin(items.brand_code[index], self.brand_codes)
        if filters.price_min is not None:
            keep &= items.price[index] >= filters.price_min
        if filters.price_max is not None:
            keep &= items.price[index] <= filters.price_max
        return keep

    def _count(self, name: str, before: int, keep: NDArray[np.bool_]) -> None:
        removed = before - int(np.count_nonzero(keep))
        if removed:
            self.removed[name] = self.removed.get(name, 0) + removed


def _brand_codes(names: list[str], items: ItemTable) -> list[int]:
    codes = items.brands.codes(names)
    return codes[codes > 0].tolist()  # type: ignore[no-any-return]


def _bought(state: UserState) -> NDArray[np.int32]:
    """What the user bought, as far as is known; the session's items stand at the end of the history."""
    before = len(state.history) - min(len(state.session), len(state.history))
    bought_lately = state.history[:before][state.history_signal[:before] == PURCHASE_CODE]
    return np.concatenate([state.pair_index, bought_lately])
