"""The finished list, and why each place is filled as it is."""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class SlotKind(StrEnum):
    """Why an item stands at its place."""

    RANKED = "ranked"
    """By score, after diversity."""
    PINNED = "pinned"
    RESERVED = "reserved"
    SHARE = "share"
    """Moved up because a minimum share would have been missed otherwise."""
    EXPLORED = "explored"
    """Put there to learn about it, in place of the item that the ranking had there."""
    SWAPPED = "swapped"
    """One of the first two places, exchanged to learn how much more the first is looked at."""
    RELAXED = "relaxed"
    """Breaks a cap, since every item left does and the shelf would be short."""


@dataclass(frozen=True)
class Slate:
    """k' places, the first one first.

    Attributes:
        rows: int32 [k'], candidate rows, distinct.
        propensity: float32 [k'], in (0, 1]: probability under the whole randomised procedure that this item stands at this place.
        kind: [k'], why the item is there.
        rule: [k'], the rule that put it there; for a relaxed place the cap that gave way; None where no rule did.
        penalty: float32 [k'], what diversity took off for likeness to the items above, on the scale of `score_after`.
        score: float32 [k'], the candidate's score.
        score_after: float32 [k'], the marginal relevance that the place was decided by; the score itself without diversity.
        category_most: how many items of one category the list could have; None where categories did not count.
    """

    rows: NDArray[np.int32]
    propensity: NDArray[np.float32]
    kind: tuple[SlotKind, ...]
    rule: tuple[str | None, ...]
    penalty: NDArray[np.float32]
    score: NDArray[np.float32]
    score_after: NDArray[np.float32]
    category_most: int | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def head(self, places: int) -> "Slate":
        """The first so many places."""
        return replace(
            self,
            rows=self.rows[:places],
            propensity=self.propensity[:places],
            kind=self.kind[:places],
            rule=self.rule[:places],
            penalty=self.penalty[:places],
            score=self.score[:places],
            score_after=self.score_after[:places],
        )
