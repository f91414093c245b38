"""One of a family: of items that differ in size, colour or seller only, a list shows the best."""

import numpy as np
from numpy.typing import NDArray

from endcap.engine.slate.placements import Cap
from endcap.engine.slate.slate import Slate, SlotKind

FAMILY_RULE = "family"
"""What the cap of families is called among the rules."""


NO_FAMILIES = np.zeros(0, dtype=np.int32)


def family_caps(families: NDArray[np.int32], page: NDArray[np.int32] = NO_FAMILIES) -> tuple[Cap, ...]:
    """At most one item of each family, and none of the page's; none where that limits no candidate.

    As any cap they yield to pins, reserves and shares, and where nothing else is left, others of a family fill the list up, those of the
    page's last.

    Args:
        families: int32 [m], code a candidate, 0 for an item that is like no other.
        page: int32 [p], codes of the items that the list stands beside.
    """
    caps = []
    beside = np.isin(families, page) & (families > 0) if len(page) else None
    if beside is not None and beside.any():
        caps.append(Cap(FAMILY_RULE, np.where(beside, families, np.int32(-1)), 0))
    known = families[families > 0]
    if len(np.unique(known)) < len(known):
        caps.append(Cap(FAMILY_RULE, np.where(families > 0, families, np.int32(-1)), 1))
    return tuple(caps)


def families_of(items: NDArray[np.int32], family_code: NDArray[np.int32]) -> NDArray[np.int32]:
    """int32 [p], the distinct codes of some items; none for items that are like no other.

    Args:
        items: int32 [r], item indices.
        family_code: int32 [items + 1], code by item.
    """
    codes = np.unique(family_code[items])
    return codes[codes > 0]


def places_before_twins(slate: Slate) -> int:
    """How many places of a list come before those at its end that are filled with others of a family, since no other candidate was left."""
    places = len(slate.rule)
    while places and slate.rule[places - 1] == FAMILY_RULE and slate.kind[places - 1] is SlotKind.RELAXED:
        places -= 1
    return places


def first_of_family(families: NDArray[np.int32], taken: NDArray[np.int32]) -> NDArray[np.bool_]:
    """bool [m]: which items of an order are the first of their family, and of none that is taken.

    Args:
        families: int32 [m], code an item, 0 for none; the order's first item first.
        taken: int32 [t], codes of items that stand in the list already.
    """
    first = np.zeros(len(families), dtype=np.bool_)
    first[np.unique(families, return_index=True)[1]] = True
    return (families <= 0) | (first & ~np.isin(families, taken))


def left_out(
    families: NDArray[np.int32], score: NDArray[np.float32], listed: NDArray[np.int32], page: NDArray[np.int32] = NO_FAMILIES
) -> dict[int, NDArray[np.intp]]:
    """By family code of a listed item or one of the page, the candidates that would be in the list too but for it, best first.

    Args:
        families: int32 [m], code a candidate, 0 for none.
        score: float32 [m].
        listed: int32 [k'], candidate rows that stand in the list.
        page: int32 [p], codes of the items that the list stands beside.
    """
    if not len(listed):
        return {}
    out = np.isin(families, np.concatenate([families[listed], page])) & (families > 0) & (score >= score[listed].min())
    out[listed] = False
    rows = np.flatnonzero(out)
    rows = rows[np.argsort(-score[rows], kind="stable")]
    return {code: rows[families[rows] == code] for code in np.unique(families[rows]).tolist()}
