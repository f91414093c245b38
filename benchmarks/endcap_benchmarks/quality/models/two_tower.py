"""The two-tower with the next-item objective among the algorithms."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from endcap.algorithms.algorithm import NOT_RECOMMENDED, TrainingData
from endcap.algorithms.interactions import Interactions


class TwoTower(BaseModel):
    """A sequence query tower and an item tower over id and attributes, ranked by inner product as the index would."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hyperparameters: dict[str, Any] = {}

    def fit(self, data: TrainingData, seed: int) -> "FittedTwoTower":
        """Learn; the last item of some users decides when to stop, and nothing outside `data` is looked at."""
        from endcap.training.tensorflow_setup import prepare_tensorflow

        prepare_tensorflow(seed)
        from endcap_components.train_two_tower.next_item.fit_sequences import fit_ensemble
        from endcap_components.train_two_tower.next_item.sequence_hyperparameters import SequenceHyperparameters

        parameters = SequenceHyperparameters(**self.hyperparameters)
        return FittedTwoTower(fit_ensemble(data.interactions, data.attributes, parameters, seed).towers)


@dataclass(frozen=True)
class FittedTwoTower:
    """Scores are inner products.

    Attributes:
        towers: `TowerEnsemble`.
    """

    towers: Any

    def scores(self, histories: Interactions) -> NDArray[np.float32]:
        """float32 [users, n + 1]."""
        scores: NDArray[np.float32] = self.towers.queries(histories) @ self.towers.item_embeddings.T
        scores[:, 0] = NOT_RECOMMENDED
        return scores

    def item_vectors(self) -> NDArray[np.float32]:
        """float32 [n + 1, members x dim]."""
        vectors: NDArray[np.float32] = self.towers.item_embeddings
        return vectors


def _with(**hyperparameters: Any) -> Callable[[], TwoTower]:
    return lambda: TwoTower(hyperparameters=hyperparameters)


ALGORITHMS: dict[str, Callable[[], TwoTower]] = {
    "two_tower": TwoTower,
    "two_tower_without_attributes": _with(attributes=False),
    "two_tower_one_member": _with(members=1),
    "two_tower_mean": _with(members=1, history_encoder="mean"),
    "two_tower_gru": _with(members=1, history_encoder="gru"),
    "two_tower_self_attention": _with(members=1, history_encoder="self_attention"),
}
