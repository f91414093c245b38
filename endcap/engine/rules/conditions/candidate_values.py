"""Candidate columns of one request as polars series."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import SOURCES, CandidateSet
from endcap.engine.rules.conditions.columns import BROUGHT_BY, ITEM_NAMES
from endcap.engine.rules.conditions.item_values import ItemValues


@dataclass(frozen=True)
class CandidateValues:
    """What rules read of m candidates.

    Attributes:
        candidates: m candidates, in any order.
        score: float32 [m], before the rules; higher is better.
        probabilities: by objective, float32 [m]; an objective that is missing is unknown.
        bought_before: bool [m].
        items: the catalogue.
    """

    candidates: CandidateSet
    score: NDArray[np.float32]
    probabilities: Mapping[str, NDArray[np.float32]]
    bought_before: NDArray[np.bool_]
    items: ItemValues

    def frame(self, names: Iterable[str]) -> pl.DataFrame:
        return pl.DataFrame([self.series(name) for name in names])

    def series(self, name: str) -> pl.Series:
        if name in ITEM_NAMES:
            return self.items.series(name, self.candidates.index)
        if name == "source":
            return pl.Series(name, SOURCES).gather(self.candidates.main_source)
        return pl.Series(name, self.numbers(name), nan_to_null=True)

    def numbers(self, name: str) -> NDArray[Any]:
        """A candidate column other than `source`, [m]; what is unknown is NaN."""
        if name == "score":
            return self.score
        if name == "position":
            return positions(self.score)
        if name == "bought_before":
            return self.bought_before
        if name.startswith(BROUGHT_BY):
            return self.candidates.brought[:, SOURCES.index(name.removeprefix(BROUGHT_BY))]
        known = self.probabilities.get(name)
        return np.full(len(self.candidates), np.nan, dtype=np.float32) if known is None else known

    def codes(self, name: str) -> NDArray[np.integer]:
        """int [m]: the value of a column of few values, by its code; sources by their place in SOURCES, no is 0 and yes 1."""
        return self.candidates.main_source if name == "source" else self.numbers(name).view(np.uint8)

    def groups(self, name: str) -> NDArray[np.int32]:
        """int32 [m]: equal codes for equal values of a column, -1 for the unknown."""
        if name == "source":
            return self.candidates.main_source.astype(np.int32)
        if (coded := self.items.coded(name)) is not None:
            known = coded[1][self.candidates.index]
            return np.where(known > 0, known, np.int32(-1))
        ranks = self.series(name).rank("dense").cast(pl.Int32)
        codes: NDArray[np.int32] = (ranks.fill_null(0) - 1).to_numpy()
        return codes


def positions(score: NDArray[np.float32]) -> NDArray[np.int32]:
    """int32 [m]: rank of each score from 1, the highest first; equal scores in the order of their rows."""
    place = np.empty(len(score), dtype=np.int32)
    place[np.argsort(-score, kind="stable")] = np.arange(1, len(score) + 1, dtype=np.int32)
    return place
