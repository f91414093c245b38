"""Typed interactions written down as text."""

import numpy as np

from endcap.algorithms.interactions import Interactions
from endcap.contracts.signals import signal_code

CODES = {"v": signal_code("product_view"), "c": signal_code("add_to_cart"), "p": signal_code("purchase"), "r": signal_code("rating")}
ITEMS = 9


def typed(*people: str) -> Interactions:
    """Interactions of people, each written as "v1 c1 | p1": views, carts, purchases and ratings of items, a bar between two visits.

    Events of a visit are a minute apart, visits a day.
    """
    rows = [_rows(person) for person in people]
    flat = [row for person in rows for row in person]
    return Interactions(
        np.cumsum([0, *map(len, rows)]).astype(np.int64),
        np.array([item for _, item, _ in flat], dtype=np.int32),
        np.array([age for _, _, age in flat], dtype=np.float32),
        ITEMS,
        np.array([CODES[kind] for kind, _, _ in flat], dtype=np.uint8),
    )


def _rows(person: str) -> list[tuple[str, int, float]]:
    visits = [visit.split() for visit in person.split("|")]
    return [
        (touch[0], int(touch[1:]), len(visits) - day - minute / 1440)
        for day, visit in enumerate(visits)
        for minute, touch in enumerate(visit)
    ]


def written(interactions: Interactions) -> list[str]:
    """Each person's interactions as text, without visits."""
    assert interactions.signal is not None
    letters = {code: letter for letter, code in CODES.items()}
    each = [f"{letters[int(kind)]}{item}" for kind, item in zip(interactions.signal, interactions.item_index, strict=True)]
    return [" ".join(each[start:end]) for start, end in zip(interactions.start[:-1], interactions.start[1:], strict=True)]
