"""Algorithms that count as one list: a sum of their scores, weighted by a conditional logit learned on purchases held out.

Where what comes before what means nothing, or little, this is what towers add least to, and it costs minutes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.algorithm import Algorithm, Fitted, TrainingData
from endcap.algorithms.ease import Ease
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.registry import algorithm_of
from endcap.contracts.signals import PURCHASE_CODE
from endcap.training.held_out import HeldOut
from endcap_benchmarks.quality.models.blend import FittedBlend, damped_blend
from endcap_benchmarks.quality.models.normalised_svd import NormalisedSvd

PEOPLE_MAX = 4000
"""People held out at most: a weight for each source needs no more."""
BUSY = 0.25
"""Chosen on Beibei's validation part: HR@10 of EASE 0.1702 against 0.1692 at 0 and 0.1696 at 0.5."""


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


@dataclass(frozen=True)
class BusyCountLess:
    """An algorithm that is fitted with each person's interactions counting (all of the person's)^-BUSY of themselves."""

    algorithm: Algorithm

    def fit(self, data: TrainingData, seed: int) -> Fitted:
        """Fit the algorithm to the weighed interactions."""
        interactions = data.interactions
        total = np.maximum(np.asarray(interactions.bought.sum(axis=1)).ravel(), 1)
        factor = ((total / np.median(total)) ** -BUSY).astype(np.float32)[interactions.user_row]
        weight = factor if interactions.weight is None else factor * interactions.weight
        return self.algorithm.fit(replace(data, interactions=replace(interactions, weight=weight)), seed)


class CountedBlend(BaseModel):
    """EASE, SVD, item-to-item and user neighbours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    factors: int = Field(default=256, ge=1, description="Of the normalised SVD.")
    others: Mapping[str, dict[str, Any]] = Field(
        default={"item_to_item_recent": {}, "user_neighbours": {}}, description="Further algorithms with their settings."
    )

    def fit(self, data: TrainingData, seed: int) -> FittedBlend:
        """Learn; purchases of some people decide what each source weighs, and one that weighs nothing is left out.

        Nothing outside `data` is looked at.
        """
        early, held_out = hold_out_purchases(data.interactions, np.random.default_rng(seed))
        algorithms: list[Algorithm] = [
            BusyCountLess(Ease()),
            NormalisedSvd(factors=self.factors),
            *(algorithm_of(name, settings) for name, settings in self.others.items()),
        ]
        return damped_blend(algorithms, data, early, held_out, seed)


ALGORITHMS: dict[str, Callable[[], CountedBlend]] = {"counted_blend": CountedBlend}
"""The models that the harness knows by name."""
