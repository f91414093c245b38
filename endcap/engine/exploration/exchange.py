"""The first two places exchanged in a small share of lists, to learn how much more the first is looked at."""

from dataclasses import dataclass, replace

import numpy as np

from endcap.engine.slate.placements import Placements
from endcap.engine.slate.slate import Slate, SlotKind

_FIRST_TWO = 2


@dataclass(frozen=True)
class FirstTwoExchange:
    """Which lists are exchanged, and how likely their first two places are then.

    A list whose second place explores stays as it is, so that an unlikely item at the first place always means an exchange.

    Attributes:
        share: of the lists in which it is possible, in [0, 0.5).
        random: the request's own randomness.
    """

    share: float
    random: np.random.Generator

    def apply(self, ranked: Slate, explored: Slate, second_stays: float, placements: Placements) -> Slate:
        """The explored list, its first two places exchanged or not, with their propensities.

        Args:
            ranked: the list without exploration.
            explored: the list with its explored places and their propensities.
            second_stays: probability that the second place does not explore.
            placements: a list whose first place alone is bound by a cap stays as it is.
        """
        if self.share <= 0 or not _is_possible(ranked, placements):
            return explored
        propensity = explored.propensity.copy()
        propensity[0] = 1 - self.share * second_stays
        if explored.kind[1] is SlotKind.EXPLORED:
            return replace(explored, propensity=propensity)
        if self.random.random() < self.share:
            propensity[:_FIRST_TWO] = self.share * second_stays
            return _exchanged(replace(explored, propensity=propensity))
        propensity[1] = (1 - self.share) * second_stays
        return replace(explored, propensity=propensity)


def _is_possible(ranked: Slate, placements: Placements) -> bool:
    both_ranked = len(ranked) >= _FIRST_TWO and all(kind is SlotKind.RANKED for kind in ranked.kind[:_FIRST_TWO])
    return both_ranked and all(cap.within != 1 for cap in placements.caps)


def _exchanged(slate: Slate) -> Slate:
    order = np.arange(len(slate))
    order[:_FIRST_TWO] = 1, 0
    return replace(
        slate,
        rows=slate.rows[order],
        kind=(SlotKind.SWAPPED,) * _FIRST_TWO + slate.kind[_FIRST_TWO:],
        penalty=slate.penalty[order],
        score=slate.score[order],
        score_after=slate.score_after[order],
    )
