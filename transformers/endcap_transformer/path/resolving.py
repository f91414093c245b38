"""A request's ids as item indices of one bundle, its surface, and its moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.request import Filters, Instance
from endcap.engine.slate.families import NO_FAMILIES, families_of
from endcap.engine.surfaces.surface import Surface
from endcap_transformer.live.served_bundle import ServedBundle
from endcap_transformer.path.consent import EffectiveConsent
from endcap_transformer.path.filters import applicable, unknown_preferences

NO_FILTERS = Filters()
NO_ITEMS = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True)
class ResolvedRequest:
    """One list to make.

    Attributes:
        served: the bundle that answers, the same one in every stage.
        surface: what the request's surface asks for.
        user_id, session_id: whose features may be read; None without consent to personalisation, and where the surface uses no session.
        items: int32 [r], distinct, the request's items that the catalogue knows, in the request's order.
        excluded: int32 [e].
        filters: the request's filters that can apply.
        is_filtered: whether any of them narrows the catalogue.
        ignored: item ids that the catalogue does not know, in the request's order, then the names of the filters that cannot apply, then
            categories and brands that the catalogue does not know, then the names of the objectives of
            the surface's value that the bundle was not trained for.
        now: the moment to answer for.
        request_id: what the answer's events will name.
        is_logged: whether the list is counted and logged as an impression; False for warm-up.
    """

    instance: Instance
    served: ServedBundle
    surface: Surface
    user_id: str | None
    session_id: str | None
    items: NDArray[np.int32]
    excluded: NDArray[np.int32]
    filters: Filters
    is_filtered: bool
    ignored: list[str]
    now: datetime
    request_id: str
    is_logged: bool = True

    @property
    def is_personal(self) -> bool:
        """Whether features of a user or a session may be read."""
        return self.user_id is not None or self.session_id is not None

    @property
    def is_page(self) -> bool:
        """Whether the list must go with the page's items rather than with the person alone."""
        return self.surface.items == "page" and len(self.items) > 0

    @property
    def is_given(self) -> bool:
        """Whether the list is the request's own items in a better order."""
        return self.surface.items == "given" and len(self.items) > 0

    @property
    def viewed(self) -> NDArray[np.int32]:
        """int32 [v]: the request's items that the person has looked at: the page's, or those named beside the visit's own."""
        is_viewed = self.is_page or (self.surface.items == "context" and self.surface.use_context)
        return self.items if is_viewed else NO_ITEMS

    @property
    def families(self) -> NDArray[np.int32] | None:
        """int32 [items + 1], family code by item; None where the list may show all of a family, and where there are none."""
        items = self.served.tables.items
        return items.family_code if self.surface.families == "one" and items.has_families else None

    @property
    def beside(self) -> NDArray[np.int32]:
        """int32 [b], the page's items whose look-alikes the list leaves out; none where it may show them."""
        return self.items if self.is_page and not self.surface.page_family else NO_ITEMS

    @property
    def page_families(self) -> NDArray[np.int32]:
        """int32 [p], distinct family codes of the page's items that the list has none of."""
        return NO_FAMILIES if self.families is None else families_of(self.beside, self.families)


def resolve(
    instance: Instance, served: ServedBundle, surface: Surface, consent: EffectiveConsent, request_id: str, *, is_logged: bool = True
) -> ResolvedRequest:
    """Look up a request's item ids; an unknown one is left out and named in `ignored`, and so is what cannot apply of filters and value."""
    items, unknown_items = _known(instance.item_ids, served)
    excluded, unknown_excluded = _known(instance.exclude, served)
    ignored = list(dict.fromkeys(unknown_items + unknown_excluded)) if unknown_items or unknown_excluded else []
    filters, is_filtered = instance.filters, False
    if "filters" in instance.model_fields_set:
        filters, inapplicable = applicable(filters, served, consent)
        ignored += inapplicable
        is_filtered = filters != NO_FILTERS
    if "preferences" in instance.model_fields_set:
        ignored += unknown_preferences(instance.preferences, served)
    if surface.value:
        ignored += served.ignored_of(surface)
    return ResolvedRequest(
        instance=instance,
        served=served,
        surface=surface,
        user_id=instance.user_id if consent.personalisation else None,
        session_id=instance.session_id if consent.personalisation and surface.use_context else None,
        items=items,
        excluded=excluded,
        filters=filters,
        is_filtered=is_filtered,
        ignored=ignored,
        now=instance.context.time or served.clock(),
        request_id=request_id,
        is_logged=is_logged,
    )


def _known(item_ids: Sequence[str], served: ServedBundle) -> tuple[NDArray[np.int32], list[str]]:
    if not item_ids:
        return NO_ITEMS, []
    distinct = list(dict.fromkeys(item_ids))
    index = served.tables.items.ids.codes(distinct)
    return index[index > 0], [distinct[place] for place in np.flatnonzero(index == 0)]
