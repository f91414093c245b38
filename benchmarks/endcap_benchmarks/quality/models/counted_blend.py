"""Algorithms that count as one list: a sum of their scores, weighted by a conditional logit learned on purchases held out.

Where what comes before what means nothing, or little, this is what towers add least to, and it costs minutes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.algorithm import Algorithm, TrainingData
from endcap.algorithms.ease import Ease, default_regularisation
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.registry import algorithm_of
from endcap.contracts.signals import PURCHASE_CODE
from endcap.training.held_out import HeldOut
from endcap_benchmarks.quality.models.blend import USERS_AT_ONCE, Damped, FittedBlend, choice_weights, choices_of

PEOPLE_MAX = 4000
"""People held out at most: a weight for each source needs no more."""


def hold_out_purchases(interactions: Interactions, rng: np.random.Generator) -> tuple[Interactions, HeldOut]:
    """Take the last purchase of some people away, with everything else that the person did with the item.

    Args:
        interactions: of everybody.
        rng: picks them among those with two other items.

    Returns:
        The interactions without those, and the people's histories with the item purchased.
    """
    is_purchase = np.ones(len(interactions), bool) if interactions.signal is None else interactions.signal == PURCHASE_CODE
    place = np.flatnonzero(is_purchase)
    last = np.full(interactions.users, -1, dtype=np.int64)
    last[interactions.user_row[place]] = place
    several = (np.diff(interactions.bought.indptr) > 2) & (last >= 0)
    picked = np.sort(rng.permutation(np.flatnonzero(several))[: min(PEOPLE_MAX, interactions.users // 2)])
    item = np.zeros(interactions.users, dtype=np.int32)
    item[picked] = interactions.item_index[last[picked]]
    rest = interactions.where(interactions.item_index != item[interactions.user_row])
    return rest, HeldOut(rest.of_users(picked), item[picked])


class CountedBlend(BaseModel):
    """EASE, item-to-item and user neighbours; EASE's regularisation is the best of some shares of its default on what is held out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    regularisation_shares: tuple[float, ...] = Field(
        default=(1.0, 0.3, 0.1), min_length=1, description="Of EASE's default, to choose from."
    )
    others: Mapping[str, dict[str, Any]] = Field(
        default={"item_to_item_cosine": {}, "user_neighbours": {}}, description="Algorithms beside EASE with their settings."
    )

    def fit(self, data: TrainingData, seed: int) -> FittedBlend:
        """Learn; purchases of some people decide the regularisation and what each source weighs. Nothing outside `data` is looked at."""
        early, held_out = hold_out_purchases(data.interactions, np.random.default_rng(seed))
        early_data = replace(data, interactions=early)
        usual = default_regularisation(early)
        others = [algorithm_of(name, settings) for name, settings in self.others.items()]
        tried = [_Tried.of(Ease(regularisation=usual * share), early_data, held_out, seed) for share in self.regularisation_shares]
        best = max(tried, key=lambda each: each.ndcg)
        sources = [best.source, *(Damped(algorithm.fit(early_data, seed)) for algorithm in others)]
        weights = choice_weights(choices_of(sources, held_out))
        return FittedBlend([Damped(algorithm.fit(data, seed)) for algorithm in (best.algorithm, *others)], weights)


@dataclass(frozen=True)
class _Tried:
    """An algorithm with its NDCG on what is held out."""

    algorithm: Algorithm
    source: Damped
    ndcg: float

    @classmethod
    def of(cls, algorithm: Algorithm, data: TrainingData, held_out: HeldOut, seed: int) -> "_Tried":
        source = Damped(algorithm.fit(data, seed))
        return cls(algorithm, source, ndcg_of(source, held_out))


def ndcg_of(source: Damped, held_out: HeldOut) -> float:
    """Mean of 1 / log2(place + 1) of the purchases held out, among all items that the person has not had."""
    rank = np.zeros(len(held_out.next_item), dtype=np.int64)
    for first in range(0, len(rank), USERS_AT_ONCE):
        users = np.arange(first, min(first + USERS_AT_ONCE, len(rank)))
        histories = held_out.histories.of_users(users)
        scores = source.scores(histories)
        own = scores[np.arange(len(users)), held_out.next_item[users]].copy()
        scores[histories.user_row, histories.item_index] = -np.inf
        scores[:, 0] = -np.inf
        rank[users] = (scores > own[:, None]).sum(axis=1)
    return float((1 / np.log2(rank + 2)).mean()) if len(rank) else 0.0


ALGORITHMS: dict[str, Callable[[], CountedBlend]] = {"counted_blend": CountedBlend}
"""The models that the harness knows by name."""
