"""Similar users: what people of similar taste buy, for those who have bought little themselves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible
from endcap.engine.retrieval.neighbour_sums import summed

NEIGHBOURS = 100
"""Fewer find less: people of one taste still buy most things from different brands and sizes."""


@dataclass(frozen=True)
class SimilarUsers:
    """u known users, without a name.

    Attributes:
        embedding: float32 [u, dim], unit length: the middle of what each buys, among the item embeddings.
        index: int32 [u, items], what each buys, 0 for none.
        weight: float32 [u, items], how much of the user's purchases it is, 0 for none.
    """

    embedding: NDArray[np.float32]
    index: NDArray[np.int32]
    weight: NDArray[np.float32]

    @classmethod
    def none(cls, dim: int) -> "SimilarUsers":
        """Nobody, in a space of `dim` dimensions."""
        return cls(np.zeros((0, dim), np.float32), np.zeros((0, 1), np.int32), np.zeros((0, 1), np.float32))


def similar_users_candidates(table: SimilarUsers, query: NDArray[np.float32], eligible: Eligible, quota: int) -> Candidates:
    """A vote of the nearest NEIGHBOURS users, the nearer the weightier.

    Args:
        table: the users to be compared with.
        query: float32 [dim], the request's query embedding, unit length.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    similarity = table.embedding @ query
    count = min(NEIGHBOURS, len(similarity))
    if not count:
        return Candidates.none()
    nearest = np.argpartition(-similarity, count - 1)[:count]
    votes = table.weight[nearest] * np.maximum(similarity[nearest], 0)[:, None]
    index, score = summed(table.index[nearest].ravel(), votes.ravel())
    kept = eligible(index) & (score > 0)
    return Candidates.best(index[kept], score[kept], quota)
