"""How many places explore: the share of a short list is no whole number, so it is rounded at random."""

from dataclasses import dataclass
from math import floor

import numpy as np


@dataclass(frozen=True)
class SlotCounts:
    """One way the rounding can fall: its probability, and explored places for new and for known items."""

    probability: float
    new: int
    known: int

    @property
    def slots(self) -> int:
        return self.new + self.known


def slot_counts(mean: float, new_item_share: float, positions: int, new: int, known: int) -> tuple[SlotCounts, ...]:
    """All ways, their probabilities summing to 1.

    Args:
        mean: explored places in the mean.
        new_item_share: part of them that is for new items, as long as there are any; each kind also gets what the other
            leaves.
        positions: places that may explore.
        new, known: items there are to show.
    """
    possible = []
    for rounded, chance in _rounded(mean):
        slots = min(rounded, positions, new + known)
        for rounded_new, new_chance in _rounded(new_item_share * slots):
            for_new = min(max(rounded_new, slots - known), new)
            possible.append(SlotCounts(chance * new_chance, for_new, slots - for_new))
    return tuple(possible)


def drawn(possible: tuple[SlotCounts, ...], random: np.random.Generator) -> SlotCounts:
    left = random.random()
    for counts in possible:
        left -= counts.probability
        if left < 0:
            return counts
    return possible[-1]


def _rounded(mean: float) -> tuple[tuple[int, float], ...]:
    """The whole numbers around `mean` with the probabilities that give it back."""
    mean = round(mean, 9)
    low = floor(mean)
    return ((low, 1.0),) if mean == low else ((low, 1 - (mean - low)), (low + 1, mean - low))
