"""Batches of whole histories of about the same length, so that little of a batch is padding."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import ResolvedHyperparameters

Value = TypeVar("Value", bound=np.generic)

USERS_SORTED_TOGETHER = 3000
"""Random users among whom those of like length are put together: enough for tight batches, few enough for ever new ones."""
SAMPLING_POWER = 0.75
"""Samples are drawn by count to this power, between uniform and popularity (Mikolov et al., NIPS 2013)."""
NO_CHOICE = -1e9


@dataclass(frozen=True)
class SequenceBatches:
    """Cuts histories into batches.

    Attributes:
        histories: users with at least two steps each, at most `length` + 1; with signals, steps of `endcap.training.acts`.
        trained: bool [n + 1], items that may be a target.
        parameters: resolved.
    """

    histories: Interactions
    trained: NDArray[np.bool_]
    parameters: ResolvedHyperparameters

    @classmethod
    def of(cls, histories: Interactions, length: int, parameters: ResolvedHyperparameters) -> "SequenceBatches":
        """The newest `length` + 1 steps of everybody who has two; with signals, of those who have a target."""
        trained = np.bincount(histories.item_index, minlength=histories.item_count + 1) > 0
        trained[0] = False
        newest = newest_steps(histories, length + 1)
        targets = np.diff(newest.start) - 1
        if newest.signal is not None:
            targets = np.bincount(newest.user_row[_as_targets(newest) > 0], minlength=newest.users)
        return cls(newest.of_users(np.flatnonzero(targets > 0)), trained, parameters)

    @cached_property
    def mean_weight(self) -> float:
        """What a target counts in the mean; by this weights are divided, so that the learning rate means the same for all data."""
        weight = _as_targets(self.histories)
        return float(weight[weight > 0].mean())

    @property
    def sampled(self) -> bool:
        """Whether batches see a sample of the items."""
        return int(self.trained.sum()) > self.parameters.full_softmax_items_max

    def rows(self, rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """User rows of every batch of one epoch, in random order."""
        steps = np.diff(self.histories.start) - 1
        order = rng.permutation(self.histories.users)
        batches: list[NDArray[np.int64]] = []
        for first in range(0, len(order), USERS_SORTED_TOGETHER):
            users = order[first : first + USERS_SORTED_TOGETHER]
            users = users[np.argsort(steps[users], kind="stable")]
            batch = (np.cumsum(steps[users]) - 1) // self.parameters.positions
            batches += np.split(users, np.flatnonzero(np.diff(batch)) + 1)
        return [batches[place] for place in rng.permutation(len(batches))]

    def epoch(self, rng: np.random.Generator) -> Iterator[dict[str, NDArray]]:  # type: ignore[type-arg]
        """Batches as the model takes them.

        `history` and `target`, int32 [users, steps]; `offset`, float32 [items]; `items` when sampled; with signals `signal`, uint8, and
        `weight`, float32, of each step, both [users, steps].
        """
        draw = _Draw.of(self) if self.sampled else None
        everything = np.where(self.trained, 0.0, NO_CHOICE).astype(np.float32)
        for users in self.rows(rng):
            mine = self.histories.of_users(users)
            steps = left_aligned(mine, mine.item_index)
            batch = {"history": steps[:, :-1], "target": steps[:, 1:]}
            # The step whose target is padding is that of the last item, which padding ends; a shorter history must not feed its own.
            batch["history"] = np.where(batch["target"] > 0, batch["history"], 0)
            typed = self._typed(mine, batch)
            yield (draw.applied(batch, rng) if draw else batch | {"offset": everything}) | typed

    def _typed(self, mine: Interactions, batch: dict[str, NDArray[np.int32]]) -> dict[str, NDArray]:  # type: ignore[type-arg]
        """What signals add to a batch, whose steps that are no target lose it."""
        if mine.signal is None or mine.weight is None:
            return {}
        weight = left_aligned(mine, mine.weight / np.float32(self.mean_weight))[:, 1:]
        batch["target"] = np.where(weight > 0, batch["target"], 0)
        return {"signal": left_aligned(mine, mine.signal)[:, :-1], "weight": weight}

    def endless(self, rng: np.random.Generator) -> Iterator[dict[str, NDArray]]:  # type: ignore[type-arg]
        """One epoch after the other."""
        while True:
            yield from self.epoch(rng)


@dataclass(frozen=True)
class _Draw:
    """Replaces items by places among those of the batch and a sample.

    Attributes:
        probability: float64 [n + 1], of a draw.
        share: float64 [n + 1], of the steps that an item takes.
        parameters: resolved.
    """

    probability: NDArray[np.float64]
    share: NDArray[np.float64]
    parameters: ResolvedHyperparameters

    @classmethod
    def of(cls, batches: SequenceBatches) -> "_Draw":
        count = np.bincount(batches.histories.item_index, minlength=len(batches.trained)).astype(np.float64)
        power = np.where(batches.trained, np.maximum(count, 1.0) ** SAMPLING_POWER, 0.0)
        return cls(power / power.sum(), count / count.sum(), batches.parameters)

    def applied(self, batch: dict[str, NDArray[np.int32]], rng: np.random.Generator) -> dict[str, NDArray]:  # type: ignore[type-arg]
        size = self.parameters.negatives
        drawn = rng.choice(len(self.probability), size, p=self.probability)
        items = np.unique(np.concatenate([[0], drawn, batch["history"].ravel(), batch["target"].ravel()])).astype(np.int32)
        expected = size * self.probability[items] + np.count_nonzero(batch["target"]) * self.share[items]
        offset = -np.log(np.maximum(-np.expm1(-expected), 1e-9)).astype(np.float32)
        offset[0] = NO_CHOICE
        places = {name: np.searchsorted(items, values).astype(np.int32) for name, values in batch.items()}
        return places | {"items": items, "offset": offset}


def newest_steps(histories: Interactions, length: int) -> Interactions:
    """At most the newest `length` steps of every user."""
    from_end = np.repeat(histories.start[1:], np.diff(histories.start)) - np.arange(len(histories))
    return histories.where(from_end <= length)


def left_aligned(histories: Interactions, values: NDArray[Value]) -> NDArray[Value]:
    """[users, longest], values of the histories' steps, oldest first from place 0, zeros behind."""
    length = np.diff(histories.start)
    steps = np.zeros((histories.users, int(length.max(initial=1))), dtype=values.dtype)
    steps[np.arange(steps.shape[1]) < length[:, None]] = values
    return steps


def _as_targets(histories: Interactions) -> NDArray[np.float32]:
    """float32 [p]: what each step counts as a target; the first of a user follows nothing."""
    weight = np.ones(len(histories), dtype=np.float32) if histories.weight is None else histories.weight.copy()
    weight[histories.start[:-1][np.diff(histories.start) > 0]] = 0
    return weight
