"""Batches out of shards of examples, each of one snapshot, in an order that a random generator decides; memory is bounded.

A few snapshots are open at a time, and of each a few shards lie in memory: a batch is drawn from all of those. A snapshot with few shards
is shuffled whole; of a snapshot with many, an example can move as far as the shards that are open together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.training.example_shards import ExampleShard, ExampleShards
from endcap.training.retrieval_examples import RetrievalExamples

OPEN_SHARDS_MAX = 32
SNAPSHOT_SHARDS_MAX = 4
"""Shards of one snapshot that are open together."""


@dataclass(frozen=True)
class SnapshotBatch:
    """Examples of one snapshot, which is named by its place in the training set's snapshots."""

    snapshot: int
    examples: RetrievalExamples


@dataclass(frozen=True)
class ExampleStream:
    """Reads shards in batches.

    Attributes:
        shards: what to read.
        batch_size: examples a batch, about: a snapshot's examples are divided evenly.
        bought: whether what was bought before is read too.
        open_shards_max: shards in memory at the same time.
    """

    shards: ExampleShards
    batch_size: int
    bought: bool = True
    open_shards_max: int = OPEN_SHARDS_MAX

    @property
    def batches(self) -> int:
        """Batches of a pass over the shards; known without reading them."""
        return sum(_batches(shards, self.batch_size) for shards in self._by_snapshot().values())

    def epoch(self, rng: np.random.Generator) -> Iterator[SnapshotBatch]:
        """Every example once.

        Raises:
            DataRejected: a shard is missing or broken.
        """
        by_snapshot = self._by_snapshot()
        waiting = [(int(snapshot), by_snapshot[int(snapshot)]) for snapshot in rng.permutation(list(by_snapshot))]
        opened: dict[int, _OpenSnapshot] = {}
        while waiting or opened:
            while waiting and self._fits(waiting[-1][1], opened):
                snapshot, shards = waiting.pop()
                opened[snapshot] = _OpenSnapshot(self, shards, rng)
            remaining = np.array([len(one.sizes) for one in opened.values()])
            snapshot = list(opened)[rng.choice(len(remaining), p=remaining / remaining.sum())]
            yield SnapshotBatch(snapshot, opened[snapshot].batch())
            if not opened[snapshot].sizes:
                del opened[snapshot]

    def width(self, shards: Sequence[ExampleShard]) -> int:
        """How many of a snapshot's shards are open together."""
        return min(len(shards), SNAPSHOT_SHARDS_MAX, self.open_shards_max)

    def _fits(self, shards: Sequence[ExampleShard], opened: "dict[int, _OpenSnapshot]") -> bool:
        return not opened or sum(one.width for one in opened.values()) + self.width(shards) <= self.open_shards_max

    def _by_snapshot(self) -> dict[int, list[ExampleShard]]:
        grouped: dict[int, list[ExampleShard]] = {}
        for shard in self.shards.shards:
            grouped.setdefault(shard.snapshot, []).append(shard)
        return grouped


class _OpenSnapshot:
    """One snapshot being read: the examples in memory, and the shards that wait."""

    def __init__(self, stream: ExampleStream, shards: Sequence[ExampleShard], rng: np.random.Generator) -> None:
        self._stream, self._rng = stream, rng
        self._waiting = [shards[place] for place in rng.permutation(len(shards))]
        self.width = stream.width(shards)
        self._room = sum(sorted((shard.examples for shard in shards), reverse=True)[: self.width])
        self._pool: list[RetrievalExamples] = []
        self._order: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
        total, count = sum(shard.examples for shard in shards), _batches(shards, stream.batch_size)
        self.sizes = [total // count + (place < total % count) for place in range(count)]

    def batch(self) -> RetrievalExamples:
        """The next batch, drawn from all examples in memory."""
        self._fill(self.sizes[-1])
        size = self.sizes.pop()
        drawn, self._order = self._order[:size], self._order[size:]
        return self._pool[0].take(drawn)

    def _fill(self, size: int) -> None:
        """Read on as long as there is room, and at least what one batch needs."""
        read: list[RetrievalExamples] = []
        held = len(self._order)
        while self._waiting and (held + self._waiting[-1].examples <= self._room or held < size):
            shard = self._waiting.pop()
            read.append(self._stream.shards.read(shard, bought=self._stream.bought))
            held += shard.examples
        if read:
            left = [part.take(self._order) for part in self._pool]
            self._pool = [RetrievalExamples.concatenated([*left, *read])]
            self._order = self._rng.permutation(held)


def _batches(shards: Sequence[ExampleShard], batch_size: int) -> int:
    return max(1, round(sum(shard.examples for shard in shards) / batch_size))
