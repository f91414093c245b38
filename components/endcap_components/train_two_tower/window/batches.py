"""Batches of retrieval examples: each of one snapshot, so that all items in it are seen as of the same moment."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.training.example_shards import ExampleShards
from endcap.training.example_stream import ExampleStream, SnapshotBatch
from endcap.training.retrieval_examples import RetrievalExamples
from endcap.training.workers import Worker
from endcap_components.train_two_tower.hyperparameters import TwoTowerHyperparameters
from endcap_components.train_two_tower.window.present_visit import Batch, with_present_visits

SAMPLING_POWER = 0.75
"""Samples are drawn by target count to this power, between uniform and popularity (Mikolov et al., NIPS 2013)."""

Inputs = dict[str, NDArray]  # type: ignore[type-arg]


@dataclass(frozen=True)
class BatchSource:
    """Cuts streamed examples into batches, the same number for every replica of every worker.

    Attributes:
        shards: of the examples to learn from.
        item_numeric: float32 [snapshots, p, len(ITEM_NUMERIC)], raw, of the trained items.
        place: int32 [n + 1], place of an item among the trained, -1 outside.
        parameters: batch size, weights and shares.
        sampled: whether batches carry samples instead of all items.
        seed: of everything random.
    """

    shards: ExampleShards
    item_numeric: NDArray[np.float32]
    place: NDArray[np.int32]
    parameters: TwoTowerHyperparameters
    sampled: bool
    seed: int

    def stream(self, worker: Worker) -> ExampleStream:
        """A worker's own examples; `batch_size` is that of a step of all workers, so that it means the same for any number of them."""
        batch_size = max(1, self.parameters.batch_size // (worker.count * worker.replicas))
        return ExampleStream(self.shards.of_worker(worker.index, worker.count), batch_size, bought=self._known_items_are_no_choice)

    def steps(self, worker: Worker) -> int:
        """Steps of an epoch, for every worker as many as the one with the most batches needs."""
        most = max(self.stream(Worker(index, worker.count, worker.replicas)).batches for index in range(worker.count))
        return -(-most // worker.replicas)

    def batches(self, worker: Worker, first_step: int = 0) -> Iterator[Inputs]:
        """Epoch after epoch without end, from a step on: a restarted worker goes on where it was."""
        steps = self.steps(worker)
        epoch, step = divmod(first_step, steps)
        for place, inputs in enumerate(self.epoch(epoch, worker)):
            if place >= step * worker.replicas:
                yield inputs
        while True:
            epoch += 1
            yield from self.epoch(epoch, worker)

    def epoch(self, number: int, worker: Worker | None = None) -> Iterator[Inputs]:
        """Batches as the model takes them: all examples of the worker once, then blank ones until every worker has had as many."""
        worker = worker or Worker()
        rng = np.random.default_rng([self.seed, number, worker.index])
        draw = _Sampler.of(self, rng) if self.sampled else None
        missing = self.steps(worker) * worker.replicas
        for one in self.stream(worker).epoch(rng):
            missing -= 1
            yield self._inputs(one, draw, rng)
        for _ in range(missing):
            yield self._inputs(SnapshotBatch(0, RetrievalExamples.blank()), draw, rng)

    @property
    def _known_items_are_no_choice(self) -> bool:
        return self.parameters.repeat_weight == 0

    def _inputs(self, one: SnapshotBatch, draw: "_Sampler | None", rng: np.random.Generator) -> Inputs:
        batch = with_present_visits(self._batch(one.examples), self.parameters.session_share, self.parameters.anonymous_share, rng)
        numeric = self.item_numeric[one.snapshot]
        target = self.place[batch.target]
        left_out_row, left_out = self._left_out(one.examples)
        count = np.bincount(batch.row, minlength=len(batch.history))
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
            return inputs | {"item_numeric": numeric, "left_out_row": left_out_row, "left_out": left_out}
        sampled = draw.samples()
        left_out_row, left_out = draw.places(sampled, np.concatenate([batch.row, left_out_row]), np.concatenate([target, left_out]))
        return inputs | {
            "sampled": sampled,
            "sampled_log_q": draw.log_q[sampled],
            "sampled_numeric": numeric[sampled],
            "target_log_q": draw.log_q[target],
            "target_numeric": numeric[target],
            "left_out_row": left_out_row,
            "left_out": left_out,
        }

    def _batch(self, examples: RetrievalExamples) -> Batch:
        """Targets are items new to the user, and at less weight those bought before, which buy-again brings back anyway."""
        weight = np.where(examples.target_is_new, 1.0, self.parameters.repeat_weight).astype(np.float32)
        kept = (self.place[examples.target_index] >= 0) & (weight > 0)
        return Batch(
            history=examples.history,
            history_age_days=examples.history_age_days,
            user_numeric=examples.user_numeric,
            user_categories=examples.user_categories,
            context=examples.context,
            row=examples.target_row[kept],
            target=examples.target_index[kept],
            weight=weight[kept],
        )

    def _left_out(self, examples: RetrievalExamples) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Rows and places of known items that are no choice for the query: none while bought items are targets too."""
        place = self.place[examples.bought_index]
        kept = (place >= 0) & self._known_items_are_no_choice
        return examples.bought_row[kept], place[kept]


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
        count = np.ones(source.item_numeric.shape[1])
        trained = source.place >= 0
        count[source.place[trained]] += source.shards.target_count[trained]
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
