"""Batches of retrieval examples: each of one snapshot, so that all items in it are seen as of the same moment."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from components.train_two_tower.present_visit import Batch, with_present_visits
from endcap.training.retrieval_examples import RetrievalExamples

SAMPLING_POWER = 0.75
"""Samples are drawn by target count to this power, between uniform and popularity (Mikolov et al., NIPS 2013)."""


@dataclass(frozen=True)
class BatchSource:
    """Cuts examples into batches.

    Attributes:
        examples: all of them.
        item_numeric: float32 [snapshots, p, len(ITEM_NUMERIC)], raw, of the trained items.
        place: int32 [n + 1], place of an item among the trained, -1 outside.
        parameters: batch size, weights and shares.
        sampled: whether batches carry samples instead of all items.
    """

    examples: RetrievalExamples
    item_numeric: NDArray[np.float32]
    place: NDArray[np.int32]
    parameters: TwoTowerHyperparameters
    sampled: bool

    def example_rows(self) -> NDArray[np.int64]:
        """The examples to learn from: those of the newest snapshots."""
        snapshots = np.unique(self.examples.snapshot)
        first = snapshots[-max(1, round(len(snapshots) * self.parameters.snapshot_share))]
        rows = np.flatnonzero(self.examples.snapshot >= first)
        return rows[-self.parameters.examples_max :]

    def rows(self, rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Example rows of every batch of one epoch, in random order."""
        newest = self.example_rows()
        snapshot = self.examples.snapshot[newest]
        batches = []
        for moment in np.unique(snapshot):
            rows = rng.permutation(newest[snapshot == moment])
            batches += np.array_split(rows, max(1, round(len(rows) / self.parameters.batch_size)))
        return [batches[place] for place in rng.permutation(len(batches))]

    def epoch(self, rng: np.random.Generator) -> Iterator[dict[str, NDArray]]:  # type: ignore[type-arg]
        """Batches as the model takes them; those without a target among the trained items are left out."""
        draw = _Sampler.of(self, rng) if self.sampled else None
        for rows in self.rows(rng):
            batch = with_present_visits(self._batch(rows), self.parameters.session_share, self.parameters.anonymous_share, rng)
            if len(batch.target):
                yield self._inputs(batch, rows, draw)

    def _batch(self, rows: NDArray[np.int64]) -> Batch:
        """Targets are items new to the user, and at less weight those bought before, which buy-again brings back anyway."""
        examples = self.examples
        row, place = examples.targets_of(rows)
        target = examples.target_index[place]
        weight = np.where(examples.target_is_new[place], 1.0, self.parameters.repeat_weight).astype(np.float32)
        kept = (self.place[target] >= 0) & (weight > 0)
        return Batch(
            history=examples.history[rows],
            history_age_days=examples.history_age_days[rows],
            user_numeric=examples.user_numeric[rows],
            user_categories=examples.user_categories[rows],
            context=examples.context[rows],
            row=row[kept],
            target=target[kept],
            weight=weight[kept],
        )

    def _inputs(self, batch: Batch, rows: NDArray[np.int64], draw: "_Sampler | None") -> dict[str, NDArray]:  # type: ignore[type-arg]
        numeric = self.item_numeric[self.examples.snapshot[rows[0]]]
        target = self.place[batch.target]
        bought_row, place = self.examples.bought_by(rows)
        bought = self.place[self.examples.bought_index[place]]
        choice = (bought < 0) | (self.parameters.repeat_weight > 0)
        bought_row, bought = bought_row[~choice], bought[~choice]
        count = np.bincount(batch.row, minlength=len(rows))
        inputs = {
            "history": batch.history,
            "history_age_days": batch.history_age_days,
            "user_numeric": batch.user_numeric,
            "user_categories": batch.user_categories,
            "context": batch.context,
            "row": batch.row,
            "target": target,
            # One user with a hundred targets must not outweigh ten users with ten.
            "weight": batch.weight * (count[batch.row] ** -0.5).astype(np.float32),
        }
        if draw is None:
            return inputs | {"item_numeric": numeric, "left_out_row": bought_row, "left_out": bought}
        sampled = draw.samples()
        left_out_row, left_out = draw.places(sampled, np.concatenate([batch.row, bought_row]), np.concatenate([target, bought]))
        return inputs | {
            "sampled": sampled,
            "sampled_log_q": draw.log_q[sampled],
            "sampled_numeric": numeric[sampled],
            "target_log_q": draw.log_q[target],
            "target_numeric": numeric[target],
            "left_out_row": left_out_row,
            "left_out": left_out,
        }


@dataclass(frozen=True)
class _Sampler:
    """Draws items and finds the accidental hits among them.

    Attributes:
        probability: float64 [p].
        log_q: float32 [p], log of the expected count among the samples.
        size: samples a draw.
        rng: source of the draws.
    """

    probability: NDArray[np.float64]
    log_q: NDArray[np.float32]
    size: int
    rng: np.random.Generator

    @classmethod
    def of(cls, source: BatchSource, rng: np.random.Generator) -> "_Sampler":
        target = source.place[source.examples.target_index]
        count = np.bincount(target[target >= 0], minlength=source.item_numeric.shape[1]) + 1.0
        probability = count**SAMPLING_POWER / (count**SAMPLING_POWER).sum()
        size = source.parameters.negatives
        return cls(probability, np.log(size * probability).astype(np.float32), size, rng)

    def samples(self) -> NDArray[np.int32]:
        """int32 [size], ascending, with repeats."""
        return np.sort(self.rng.choice(len(self.probability), self.size, p=self.probability)).astype(np.int32)

    def places(
        self, sampled: NDArray[np.int32], row: NDArray[np.int32], item: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Row and place among the samples, int32 each, of every sample that is the row's item."""
        first, last = np.searchsorted(sampled, item, side="left"), np.searchsorted(sampled, item, side="right")
        count = last - first
        place = np.repeat(first - (np.cumsum(count) - count), count) + np.arange(count.sum())
        return np.repeat(row, count).astype(np.int32), place.astype(np.int32)
