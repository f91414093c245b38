"""The part of the candidates that a list can come from: the best ones, and the best of every rule's members."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.slate.placements import Placements

WINDOW_MIN = 100
WINDOW_PER_PLACE = 4

_LARGEST = np.float32(np.finfo(np.float32).max)


def finite(score: NDArray[np.float32]) -> NDArray[np.float32]:
    """The scores with NaN below everything else and infinities cut to what float32 holds."""
    bounded: NDArray[np.float32] = np.fmin(np.fmax(score, -_LARGEST), _LARGEST)
    return bounded


@dataclass(frozen=True)
class Window:
    """w of m candidates, best first; equal scores in order of their rows.

    Attributes:
        rows: int32 [w], candidate rows.
        score: float32 [w], their scores.
        anchor: how many of the best candidates the scale of relevance is taken from; the same however wide the window is.
    """

    rows: NDArray[np.int32]
    score: NDArray[np.float32]
    anchor: int

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def best(cls, score: NDArray[np.float32], wanted: int, placements: Placements) -> "Window":
        """The best max(4 wanted, 100), and the best `wanted` members of every pin, reserve and share.

        No rule needs more: a list has `wanted` places, so among the best `wanted` members one is always left for the next place.

        Args:
            score: float32 [m], finite.
            wanted: length of the list.
            placements: the rules' demands.
        """
        anchor = max(WINDOW_PER_PLACE * wanted, WINDOW_MIN)
        rows = top_rows(score, anchor)
        demands = [*(pin.member for pin in placements.pins), *(reserve.member for reserve in placements.reserves)]
        demands += [share.member for share in placements.shares]
        if demands and len(rows) < len(score):
            inside = np.zeros(len(score), dtype=np.bool_)
            inside[rows] = True
            for member in demands:
                members = np.flatnonzero(member)
                inside[members if len(members) <= wanted else members[top_rows(score[members], wanted)]] = True
            rows = _sorted(np.flatnonzero(inside), score)
        return cls(rows.astype(np.int32), score[rows], anchor)

    @classmethod
    def everything(cls, score: NDArray[np.float32], wanted: int) -> "Window":
        """All candidates, for when the best ones are all over a cap."""
        rows = _sorted(np.arange(len(score)), score)
        return cls(rows.astype(np.int32), score[rows], max(WINDOW_PER_PLACE * wanted, WINDOW_MIN))


def top_rows(score: NDArray[np.float32], most: int) -> NDArray[np.intp]:
    """intp [min(most, m)]: rows of the highest scores, best first, equal ones in order."""
    if most <= 0:
        return np.zeros(0, dtype=np.intp)
    if len(score) <= most:
        return _sorted(np.arange(len(score)), score)
    lowest = np.partition(score, len(score) - most)[len(score) - most]
    return _sorted(np.flatnonzero(score >= lowest), score)[:most]


def _sorted(rows: NDArray[np.intp], score: NDArray[np.float32]) -> NDArray[np.intp]:
    return rows[np.argsort(-score[rows], kind="stable")]
