"""Shares by code: the few categories or brands a user buys from, without a column for every one there is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shares:
    """c codes with a share above 0: int32 `code`, ascending and distinct, and float32 `share`, both [c]."""

    code: NDArray[np.int32]
    share: NDArray[np.float32]

    def __getitem__(self, codes: NDArray[np.int32]) -> NDArray[np.float32]:
        """float32 [m]: the share of each of int32 [m] codes, 0 for those that have none."""
        if not len(self.code):
            return np.zeros(len(codes), dtype=np.float32)
        place = np.searchsorted(self.code, codes)
        place[place == len(self.code)] = 0
        return np.where(self.code[place] == codes, self.share[place], np.float32(0))

    @classmethod
    def of(cls, code: NDArray[np.int32], share: NDArray[np.float32]) -> "Shares":
        """From distinct codes in any order; code 0, the unknown, has no share."""
        order = np.argsort(code)
        order = order[code[order] > 0]
        return cls(code[order], share[order].astype(np.float32, copy=False))

    @classmethod
    def none(cls) -> "Shares":
        return cls(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32))
