"""One of a family: of items that differ in size, colour or seller only, a list shows the best."""

import numpy as np
from numpy.typing import NDArray

from endcap.engine.slate.placements import Cap
from endcap.engine.slate.slate import Slate, SlotKind

FAMILY_RULE = "family"
"""What the cap of families is called among the rules."""


def family_cap(families: NDArray[np.int32]) -> Cap | None:
    """At most one item of each family; None where no two candidates are of one.

    As any cap it yields to pins, reserves and shares, and where nothing else is left, others of a family fill the list up.

    Args:
        families: int32 [m], code a candidate, 0 for an item that is like no other.
    """
    known = families[families > 0]
    if len(np.unique(known)) == len(known):
        return None
    return Cap(FAMILY_RULE, np.where(families > 0, families, np.int32(-1)), 1)


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


def left_out(families: NDArray[np.int32], score: NDArray[np.float32], listed: NDArray[np.int32]) -> dict[int, NDArray[np.intp]]:
    """By family code of a listed item, the candidates that would be in the list too if they were not of its family, best first.

    Args:
        families: int32 [m], code a candidate, 0 for none.
        score: float32 [m].
        listed: int32 [k'], candidate rows that stand in the list.
    """
    if not len(listed):
        return {}
    out = np.isin(families, families[listed]) & (families > 0) & (score >= score[listed].min())
    out[listed] = False
    rows = np.flatnonzero(out)
    rows = rows[np.argsort(-score[rows], kind="stable")]
    return {code: rows[families[rows] == code] for code in np.unique(families[rows]).tolist()}
