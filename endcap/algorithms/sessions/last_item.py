"""Scores by a visit's last item alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap.algorithms.item_to_item import NeighbourScores
from endcap.engine.retrieval.item_to_item import ItemToItem


@dataclass(frozen=True)
class LastItemScores:
    """A table of neighbours; scores are those of the newest item's neighbours.

    Attributes:
        table: nearest first.
    """

    table: ItemToItem

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [visits, n + 1]; items that are no neighbours of the newest one are not recommended."""
        newest = np.zeros(len(histories), dtype=bool)
        newest[histories.start[1:][np.diff(histories.start) > 0] - 1] = True
        return NeighbourScores(self.table).scores(histories.where(newest))

    def neighbours(self, count: int) -> ItemToItem:
        """The `count` nearest of each item; no more than were kept when counting."""
        return NeighbourScores(self.table).neighbours(count)
