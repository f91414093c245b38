"""Some users as the bundle keeps them: where they stand among the items, and what they buy; no ids."""

import numpy as np

from endcap.retrieval.ordering import best_first
from endcap.retrieval.similar_users import SimilarUsers
from endcap.retrieval.user_state import UserState
from endcap.training.scoring import TwoTowerArtifact, evaluation_context
from endcap.training.training_set import TrainingSet

USERS_MAX = 4000
ITEMS_A_USER = 30


def similar_users_at_end(training: TrainingSet, two_tower: TwoTowerArtifact) -> SimilarUsers:
    """The users who bought most of late, as of the data's end."""
    end = training.manifest.data_end
    eligible = training.eligible_at(end)
    states = sorted(training.users_at(end).states, key=lambda state: -float(state.decayed_60d.sum()))[:USERS_MAX]
    states = [state for state in states if len(state.pair_index)]
    if not states:
        return SimilarUsers.none(two_tower.item_embeddings.shape[1])
    index = np.zeros((len(states), ITEMS_A_USER), dtype=np.int32)
    weight = np.zeros((len(states), ITEMS_A_USER), dtype=np.float32)
    for row, state in enumerate(states):
        _fill(index[row], weight[row], state, eligible[state.pair_index])
    return SimilarUsers(two_tower.encode(states, evaluation_context(end)), index, weight)


def _fill(index: np.ndarray, weight: np.ndarray, state: UserState, kept: np.ndarray) -> None:
    best = best_first(state.pair_index[kept], state.decayed_60d[kept], ITEMS_A_USER)
    index[: len(best.index)] = best.index
    weight[: len(best.index)] = best.score / max(float(best.score.sum()), 1e-6)
