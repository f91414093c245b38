"""Towers, EASE and item-to-item as one list: a sum of their scores, weighted by a conditional logit learned on people held out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from endcap.algorithms.algorithm import NOT_RECOMMENDED, Algorithm, Fitted, TrainingData
from endcap.algorithms.ease import Ease
from endcap.algorithms.interactions import Interactions
from endcap.algorithms.item_to_item import ItemToItemRecent
from endcap.training.conditional_logit import Choices, fit_weights
from endcap.training.held_out import HeldOut
from endcap_benchmarks.quality.models.two_tower import FittedTwoTower

CANDIDATES = 100
"""Best items of each source that are compared."""
USERS_AT_ONCE = 256
LOWEST = np.float32(-1e6)
"""Stands for minus infinity where scores are added."""


def choices_of(sources: Sequence[Fitted], held_out: HeldOut, *, hides_history: bool = True) -> Choices:
    """The best of every source for people held out, without what they had where lists leave that out.

    People whose next item no source brought are left out.
    """
    scores: list[NDArray[np.float64]] = []
    length: list[int] = []
    chosen: list[int] = []
    for first in range(0, held_out.histories.users, USERS_AT_ONCE):
        users = np.arange(first, min(first + USERS_AT_ONCE, held_out.histories.users))
        histories = held_out.histories.of_users(users)
        of_sources = np.stack([np.maximum(source.scores(histories), LOWEST) for source in sources])
        of_sources[:, :, 0] = LOWEST
        if hides_history:
            of_sources[:, histories.user_row, histories.item_index] = LOWEST
        count = min(CANDIDATES, of_sources.shape[2] - 1)
        best = np.argpartition(-of_sources, count - 1, axis=2)[:, :, :count]
        for row, user in enumerate(users):
            candidates = np.unique(best[:, row])
            candidates = candidates[(of_sources[:, row, candidates] > LOWEST).all(axis=0)]
            place = np.flatnonzero(candidates == held_out.next_item[user])
            if len(place):
                chosen.append(sum(length) + int(place[0]))
                length.append(len(candidates))
                scores.append(of_sources[:, row, candidates].T.astype(np.float64))
    start = np.concatenate([[0], np.cumsum(length)]).astype(np.int64)
    share = np.zeros(start[-1])
    share[chosen] = 1.0
    return Choices(np.concatenate([np.zeros((0, len(sources))), *scores]), start, share)


COUNTED: tuple[Algorithm, ...] = (Ease(), ItemToItemRecent())
"""Algorithms that count: cheap enough to be fitted once to learn their weight, and again on everything."""


class Blend(BaseModel):
    """Several towers of different seeds, with and without attributes, beside the algorithms that count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    towers: int = Field(default=3, ge=1, description="Towers with attributes.")
    towers_without_attributes: int = Field(default=1, ge=0)
    hyperparameters: dict[str, Any] = Field(default={}, description="Of each tower.")

    def fit(self, data: TrainingData, seed: int) -> "FittedBlend":
        """Learn; the last items of some users decide when towers stop and what each source weighs. Nothing outside `data` is looked at."""
        from endcap.training.tensorflow_setup import prepare_tensorflow

        prepare_tensorflow(seed)
        from endcap.training.held_out import hold_out_last
        from endcap_components.train_two_tower.next_item.fit_sequences import HELD_OUT_SHARE, fit_ensemble
        from endcap_components.train_two_tower.next_item.sequence_hyperparameters import SequenceHyperparameters

        base = SequenceHyperparameters(**self.hyperparameters)
        users = min(base.held_out_users_max, int(data.interactions.users * HELD_OUT_SHARE))
        early, held_out = hold_out_last(data.interactions, users, np.random.default_rng(seed))
        kinds = [
            base.model_copy(update={"members": count, "attributes": attributes})
            for count, attributes in ((self.towers, True), (self.towers_without_attributes, False))
            if count
        ]
        towers = [FittedTwoTower(fit_ensemble(early, data.attributes, kind, seed, held_out).towers) for kind in kinds]
        counted = [Damped(algorithm.fit(replace(data, interactions=early), seed)) for algorithm in COUNTED]
        weights = fit_weights(choices_of([*towers, *counted], held_out))
        return FittedBlend([*towers, *(Damped(algorithm.fit(data, seed)) for algorithm in COUNTED)], weights)


@dataclass(frozen=True)
class FittedBlend:
    """A weighted sum of scores.

    Attributes:
        sources: fitted algorithms.
        weights: float32 [sources].
    """

    sources: Sequence[Fitted]
    weights: NDArray[np.float32]

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]."""
        total = np.zeros((histories.users, histories.item_count + 1), dtype=np.float32)
        for source, weight in zip(self.sources, self.weights, strict=True):
            total += weight * np.maximum(source.scores(histories), LOWEST)
        total[:, 0] = NOT_RECOMMENDED
        return total


def damped_blend(
    algorithms: Sequence[Algorithm], data: TrainingData, early: Interactions, held_out: HeldOut, seed: int, *, hides_history: bool = True
) -> FittedBlend:
    """Counting algorithms by the weights that order held out people's items best; one that weighs nothing is left out.

    Args:
        algorithms: fitted once on `early` to learn their weights, and those that have one again on everything.
        data: everything.
        early: its interactions without what is held out.
        held_out: what came next.
        seed: of everything random.
        hides_history: as of `choices_of`.
    """
    sources = [Damped(algorithm.fit(replace(data, interactions=early), seed)) for algorithm in algorithms]
    weights = fit_weights(choices_of(sources, held_out, hides_history=hides_history))
    kept = np.flatnonzero(weights > 0)
    return FittedBlend([Damped(algorithms[int(place)].fit(data, seed)) for place in kept], weights[kept])


@dataclass(frozen=True)
class Damped:
    """Square roots of what a counting algorithm scores, whose tails are long; what it says nothing about counts as 0."""

    counted: Fitted

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]."""
        scores = self.counted.scores(histories)
        known = np.where(np.isfinite(scores), scores, np.float32(0))
        return np.sign(known) * np.sqrt(np.abs(known))


ALGORITHMS: dict[str, Callable[[], Blend]] = {"blend": Blend}
