"""Towers, EASE and item-to-item as one list: a sum of their scores with weights learned on people held out."""

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
from endcap_benchmarks.quality.models.blend_weights import LOWEST, choice_weights, choices_of
from endcap_benchmarks.quality.models.two_tower import FittedTwoTower

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
        weights = choice_weights(choices_of([*towers, *counted], held_out))
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
