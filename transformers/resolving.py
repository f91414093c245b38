"""A request's ids as item indices of one bundle, and its moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.request import Instance, Surface
from transformers.served_bundle import ServedBundle

PAGE_SURFACES = (Surface.PRODUCT, Surface.CART)


@dataclass(frozen=True)
class ResolvedRequest:
    """One list to make.

    Attributes:
        served: the bundle that answers, the same one in every stage.
        items: int32 [r], distinct, the request's items that the catalogue knows, in the request's order.
        excluded: int32 [e].
        ignored: item ids that the catalogue does not know, in the request's order.
        now: the moment to answer for.
    """

    instance: Instance
    served: ServedBundle
    items: NDArray[np.int32]
    excluded: NDArray[np.int32]
    ignored: list[str]
    now: datetime

    @property
    def is_page(self) -> bool:
        """Whether the list must go with the page's items rather than with the person alone."""
        return self.instance.surface in PAGE_SURFACES and len(self.items) > 0

    @property
    def is_given(self) -> bool:
        """Whether the list is the request's own items in a better order."""
        return self.instance.surface is Surface.SEARCH and len(self.items) > 0


def resolve(instance: Instance, served: ServedBundle) -> ResolvedRequest:
    """Look up a request's item ids; one that is unknown is left out and named in `ignored`."""
    items, unknown_items = _known(instance.item_ids, served)
    excluded, unknown_excluded = _known(instance.exclude, served)
    return ResolvedRequest(
        instance=instance,
        served=served,
        items=items,
        excluded=excluded,
        ignored=list(dict.fromkeys(unknown_items + unknown_excluded)),
        now=instance.context.time or served.clock(),
    )


def _known(item_ids: Sequence[str], served: ServedBundle) -> tuple[NDArray[np.int32], list[str]]:
    distinct = list(dict.fromkeys(item_ids))
    index = served.tables.items.ids.codes(distinct)
    return index[index > 0], [distinct[place] for place in np.flatnonzero(index == 0)]
