"""Batches of whole histories of about the same length, so that little of a batch is padding."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.algorithms.interactions import Interactions
from endcap_components.train_two_tower.next_item.sequence_hyperparameters import ResolvedHyperparameters

USERS_SORTED_TOGETHER = 3000
"""Random users among whom those of like length are put together: enough for tight batches, few enough for ever new ones."""
SAMPLING_POWER = 0.75
"""Samples are drawn by count to this power, between uniform and popularity (Mikolov et al., NIPS 2013)."""
NO_CHOICE = -1e9


@dataclass(frozen=True)
class SequenceBatches:
    """Cuts histories into batches.

    Attributes:
        histories: users with at least two steps each, at most `length` + 1.
        trained: bool [n + 1], items that may be a target.
        parameters: resolved.
    """

    histories: Interactions
    trained: NDArray[np.bool_]
    parameters: ResolvedHyperparameters

    @classmethod
    def of(cls, histories: Interactions, length: int, parameters: ResolvedHyperparameters) -> "SequenceBatches":
        """The newest `length` + 1 steps of everybody who has two."""
        trained = np.bincount(histories.item_index, minlength=histories.item_count + 1) > 0
        trained[0] = False
        newest = newest_steps(histories, length + 1)
        return cls(newest.of_users(np.flatnonzero(np.diff(newest.start) >= 2)), trained, parameters)

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
        """Batches as the model takes them: `history` and `target`, int32 [users, steps]; `offset`, float32; `items` when sampled."""
        draw = _Draw.of(self) if self.sampled else None
        everything = np.where(self.trained, 0.0, NO_CHOICE).astype(np.float32)
        for users in self.rows(rng):
            steps = left_aligned(self.histories.of_users(users))
            batch = {"history": steps[:, :-1], "target": steps[:, 1:]}
            # The step whose target is padding is that of the last item, which padding ends; a shorter history must not feed its own.
            batch["history"] = np.where(batch["target"] > 0, batch["history"], 0)
            yield draw.applied(batch, rng) if draw else batch | {"offset": everything}

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


def left_aligned(histories: Interactions) -> NDArray[np.int32]:
    """int32 [users, longest], oldest first from place 0, zeros behind."""
    length = np.diff(histories.start)
    steps = np.zeros((histories.users, int(length.max(initial=1))), dtype=np.int32)
    steps[np.arange(steps.shape[1]) < length[:, None]] = histories.item_index
    return steps
