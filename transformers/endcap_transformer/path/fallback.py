"""The last resort: a list is never short while the catalogue has an eligible item."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from endcap.engine.slate.families import first_of_family
from endcap_transformer.path.eligibility import Eligibility
from endcap_transformer.path.sources.source import SourceRequest

Excluded = Callable[[NDArray[np.int32]], NDArray[np.bool_]]
"""Says of int32 [m] item indices, in a bool [m], which of them the rules exclude."""

_FIRST_LOOK = 64


def last_resort(
    request: SourceRequest, shown: NDArray[np.int32], twins: NDArray[np.int32], count: int, excluded: Excluded
) -> NDArray[np.int32]:
    """int32 [at most count]: eligible items for the places that the candidates left open.

    What is popular in the person's segment comes first, then what is popular at all, then all eligible items by purchases; a search's own
    items keep the search's order and come before all of them. Others of a family that is shown, or that the
    page is of, come last.

    Args:
        request: as the sources saw it.
        shown: int32 [s], items that stand in the list already.
        twins: int32 [t], candidates of a family that is shown, best first; they come before the other items of that kind.
        count: open places.
        excluded: what rules about candidates exclude; rules about items are part of `eligible`.
    """
    served, eligible = request.resolved.served, request.eligible
    popular = served.trends.popular.candidates(request.segments, len(served.by_purchases)).index
    orders = [eligible.given] if len(eligible.given) else [popular, served.by_purchases]
    families = request.resolved.families
    beside, chosen = request.resolved.beside, [np.zeros(0, dtype=np.int32)]
    for order, limit in [*((order, families) for order in orders if families is not None), *((order, None) for order in [twins, *orders])]:
        missing = count - sum(map(len, chosen))
        if missing > 0:
            chosen.append(_first(order, np.concatenate([shown, beside, *chosen]), missing, eligible, excluded, limit))
    return np.concatenate(chosen)


def _first(  # noqa: PLR0917 - what a list has and what it lacks
    order: NDArray[np.int32],
    taken: NDArray[np.int32],
    count: int,
    eligible: Eligibility,
    excluded: Excluded,
    families: NDArray[np.int32] | None,
) -> NDArray[np.int32]:
    """The first `count` that may be shown, one of a family where `families` says which; the order is looked at in growing stretches, since
    it may be the whole catalogue.
    """
    found = [np.zeros(0, dtype=np.int32)]
    start, stretch = 0, max(_FIRST_LOOK, 2 * count)
    while start < len(order) and count > 0:
        part = order[start : start + stretch]
        kept = part[eligible.of(part)]
        kept = kept[~np.isin(kept, taken)]
        kept = kept[~excluded(kept)] if len(kept) else kept
        if families is not None:
            kept = kept[first_of_family(families[kept], families[np.concatenate([taken, *found])])]
        kept = kept[:count]
        found.append(kept)
        count -= len(kept)
        start += stretch
        stretch *= 4
    return np.concatenate(found)
