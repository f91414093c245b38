import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import DataRejected
from endcap.training.sequence_shards import KEPT, SequenceShards, SequenceShardWriter, UserSequences
from tests.properties import examples

LENGTHS = st.lists(st.lists(st.integers(1, 5), min_size=0, max_size=5), min_size=1, max_size=6)


def sequences_of(lengths: list[int], first_user: int) -> UserSequences:
    start = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    names = np.array([f"u{first_user + number}" for number in range(len(lengths))], dtype=np.str_)
    item_index, occurred_at = np.arange(1, start[-1] + 1, dtype=np.int32), np.arange(start[-1], dtype=np.int64)
    return UserSequences(names, start, item_index, occurred_at, np.full(start[-1], KEPT), item_index.astype(np.uint8) % 3)


def written(folder: Path, lengths: list[list[int]]) -> tuple[SequenceShards, dict[str, list[int]]]:
    """Shards, and what each user bought."""
    writer, bought = SequenceShardWriter(folder), {}
    for part, own in enumerate(lengths):
        sequences = sequences_of(own, first_user=100 * part)
        writer.write(sequences, part)
        bought |= by_user(sequences)
    writer.close()
    return SequenceShards.of(folder), bought


def by_user(sequences: UserSequences) -> dict[str, list[int]]:
    edges = zip(sequences.user_id, sequences.start[:-1], sequences.start[1:], strict=True)
    return {str(user): sequences.item_index[start:end].tolist() for user, start, end in edges}


@examples(20)
@given(lengths=LENGTHS, batch_users=st.integers(1, 7), seed=st.integers(0, 99))
def test_every_user_is_read_once_with_everything_bought(lengths: list[list[int]], batch_users: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shards, expected = written(Path(folder) / "sequences", lengths)
        for passes in (shards.stream(), shards.shuffled(batch_users, np.random.default_rng(seed))):
            read = list(passes)
            assert {user: items for one in read for user, items in by_user(one).items()} == expected
            assert sum(map(len, read)) == shards.users == len(expected)


def test_batches_depend_on_the_seed_alone(tmp_path: Path) -> None:
    shards, _ = written(tmp_path / "sequences", [[1] * 9] * 6)
    orders = [[one.user_id.tolist() for one in shards.shuffled(5, np.random.default_rng(seed))] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_workers_divide_the_users(tmp_path: Path) -> None:
    shards, expected = written(tmp_path / "sequences", [[1] * 4, [2] * 3, [3] * 2])
    users = [user for index in range(2) for one in shards.of_worker(index, 2).stream() for user in one.user_id.tolist()]
    assert sorted(users) == sorted(expected)


def test_what_is_bought_from_a_moment_on_is_left_out() -> None:
    sequences = sequences_of([2, 3, 1], first_user=0)
    before = sequences.before(datetime.fromtimestamp(3, tz=UTC))
    assert by_user(before) == {"u0": [1, 2], "u1": [3]}


def test_broken_shard_is_named(tmp_path: Path) -> None:
    shards, _ = written(tmp_path / "sequences", [[1, 2]])
    (tmp_path / "sequences" / "00000.parquet").write_bytes(b"broken")
    with pytest.raises(DataRejected, match=r"00000\.parquet.*build_training_set"):
        list(shards.stream())
