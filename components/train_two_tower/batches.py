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

    def rows(self, rng: np.random.Generator) -> list[NDArray[np.int64]]:
        """Example rows of every batch of one epoch, in random order."""
        newest = np.arange(max(0, len(self.examples) - self.parameters.examples_max), len(self.examples))
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
                yield self._inputs(batch, int(self.examples.snapshot[rows[0]]), draw)

    def _batch(self, rows: NDArray[np.int64]) -> Batch:
        examples = self.examples
        start, end = examples.target_start[rows], examples.target_start[rows + 1]
        count = end - start
        flat = np.repeat(start - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())
        row = np.repeat(np.arange(len(rows), dtype=np.int32), count)
        target = examples.target_index[flat]
        weight = np.where(examples.target_is_new[flat], 1.0, self.parameters.repeat_weight).astype(np.float32)
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

    def _inputs(self, batch: Batch, snapshot: int, draw: "_Sampler | None") -> dict[str, NDArray]:  # type: ignore[type-arg]
        numeric = self.item_numeric[snapshot]
        target = self.place[batch.target]
        inputs = {
            "history": batch.history,
            "history_age_days": batch.history_age_days,
            "user_numeric": batch.user_numeric,
            "user_categories": batch.user_categories,
            "context": batch.context,
            "row": batch.row,
            "target": target,
            "weight": batch.weight,
        }
        if draw is None:
            return inputs | {"item_numeric": numeric}
        sampled, hit_row, hit_column = draw(batch.row, target)
        return inputs | {
            "sampled": sampled,
            "sampled_log_q": draw.log_q[sampled],
            "sampled_numeric": numeric[sampled],
            "target_log_q": draw.log_q[target],
            "target_numeric": numeric[target],
            "hit_row": hit_row,
            "hit_column": hit_column,
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

    def __call__(self, row: NDArray[np.int32], target: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """Samples (int32 [size], with repeats), and row and column of every sample that is a target of that row."""
        sampled = np.sort(self.rng.choice(len(self.probability), self.size, p=self.probability)).astype(np.int32)
        first, last = np.searchsorted(sampled, target, side="left"), np.searchsorted(sampled, target, side="right")
        count = last - first
        hit_column = np.repeat(first - np.concatenate([[0], np.cumsum(count)[:-1]]), count) + np.arange(count.sum())
        return sampled, np.repeat(row, count).astype(np.int32), hit_column.astype(np.int32)
