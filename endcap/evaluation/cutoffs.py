"""How deep lists are judged: as a shop's pages are long, and never so deep that every list of the catalogue is right."""

from dataclasses import dataclass
from typing import Self

from endcap.contracts.evaluation import DEEP_K, MAIN_K

MAIN_SHARE = 5
DEEP_SHARE = 4
"""A list of more than a fifth of the catalogue, or retrieval of more than a quarter of it, is right whatever stands in it."""


@dataclass(frozen=True)
class Cutoffs:
    """Depths of the figures.

    Attributes:
        main: of lists.
        deep: of retrieval, at least `main`.
    """

    main: int = MAIN_K
    deep: int = DEEP_K

    @classmethod
    def of(cls, eligible_items: int) -> Self:
        """10 and 100 from 400 items on; below, at most a fifth and a quarter of the items that may be recommended, at least 1."""
        main = max(1, min(MAIN_K, eligible_items // MAIN_SHARE))
        return cls(main, max(main, min(DEEP_K, eligible_items // DEEP_SHARE)))

    @property
    def accuracy(self) -> tuple[int, ...]:
        """Half a list, a list and two lists."""
        return tuple(sorted({max(1, self.main // 2), self.main, min(2 * self.main, self.deep)}))
