import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from endcap.training.example_shards import ExampleShard, ExampleShards
from endcap.training.example_stream import SNAPSHOT_SHARDS_MAX, ExampleStream, SnapshotBatch
from endcap.training.retrieval_examples import RetrievalExamples
from tests.endcap.training.made_examples import made_shards, numbers_of
from tests.properties import examples

SIZES = st.lists(st.lists(st.integers(1, 7), min_size=1, max_size=6), min_size=1, max_size=5)


def epoch_of(stream: ExampleStream, seed: int) -> list[SnapshotBatch]:
    return list(stream.epoch(np.random.default_rng(seed)))


@examples(30)
@given(sizes=SIZES, batch_size=st.integers(1, 12), open_max=st.integers(1, 8), seed=st.integers(0, 99))
def test_every_example_is_seen_once_among_those_of_its_snapshot(sizes: list[list[int]], batch_size: int, open_max: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shards = made_shards(Path(folder) / "examples", sizes)
        stream = ExampleStream(shards, batch_size, open_shards_max=open_max)
        batches = epoch_of(stream, seed)
    assert len(batches) == stream.batches
    assert sorted(number for one in batches for number in numbers_of(one.examples)) == list(range(1, len(shards) + 1))
    snapshot_of = np.repeat(np.arange(len(sizes)), [sum(parts) for parts in sizes])
    assert all({snapshot_of[number - 1] for number in numbers_of(one.examples)} == {one.snapshot} for one in batches)


def test_order_depends_on_the_seed_alone(tmp_path: Path) -> None:
    shards = made_shards(tmp_path / "examples", [[8, 8], [8, 8], [8]])
    orders = [[numbers_of(one.examples) for one in epoch_of(ExampleStream(shards, 4), seed)] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_batches_mix_shards_and_alternate_between_snapshots(tmp_path: Path) -> None:
    shards = made_shards(tmp_path / "examples", [[40, 40], [40, 40]])
    batches = epoch_of(ExampleStream(shards, 10), seed=0)
    assert all(len({(number - 1) // 40 for number in numbers_of(one.examples)}) == 2 for one in batches)
    snapshots = [one.snapshot for one in batches]
    assert snapshots not in (sorted(snapshots), sorted(snapshots, reverse=True))


def test_no_more_shards_lie_in_memory_than_allowed(tmp_path: Path) -> None:
    """Counted when a shard is read: what was read so far, less what was handed out."""
    size, open_max = 6, 5
    shards = made_shards(tmp_path / "examples", [[size] * 9] * 6)
    held: list[int] = []

    class Counting(ExampleShards):
        def read(self, shard: ExampleShard, *, bought: bool = True) -> RetrievalExamples:
            held.append(size)
            most.append(sum(held))
            return super().read(shard, bought=bought)

    most: list[int] = []
    counting = Counting(shards.folder, shards.manifest, shards.shards)
    for one in ExampleStream(counting, 3, open_shards_max=open_max).epoch(np.random.default_rng(0)):
        held.append(-len(one.examples))
    assert sum(held) == 0
    assert SNAPSHOT_SHARDS_MAX * size <= max(most) <= open_max * size
