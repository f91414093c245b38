import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.core.errors import DataRejected, InvalidInput
from endcap.training.example_shards import COUNTS_NAME, MANIFEST_NAME, ExampleShards
from endcap.training.normalisation import Standardisation
from endcap.training.retrieval_examples import RetrievalExamples
from tests.endcap.training.made_examples import ITEMS, made_shards, numbers_of
from tests.properties import examples

SIZES = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=4), min_size=1, max_size=4)


@examples(20)
@given(sizes=SIZES)
def test_folder_tells_what_all_its_shards_hold(sizes: list[list[int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shards = made_shards(Path(folder) / "examples", sizes)
        assert len(shards) == sum(map(sum, sizes))
        read = [shards.read(shard) for shard in shards.shards]
        assert [number for one in read for number in numbers_of(one)] == list(range(1, len(shards) + 1))
        targets = np.concatenate([np.zeros(0, dtype=np.int32), *(one.target_index for one in read)])
        np.testing.assert_array_equal(shards.target_count, np.bincount(targets, minlength=ITEMS + 1))
        assert sum(shard.targets for shard in shards.shards) == len(targets)
        if read:
            expected = Standardisation.fit(RetrievalExamples.concatenated(read).user_numeric)
            np.testing.assert_allclose(shards.user_numeric.mean, expected.mean, atol=1e-5)
            np.testing.assert_allclose(shards.user_numeric.deviation, expected.deviation, rtol=1e-4)


@examples(20)
@given(sizes=SIZES, workers=st.integers(1, 4))
def test_workers_divide_the_shards(sizes: list[list[int]], workers: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shards = made_shards(Path(folder) / "examples", sizes)
        if len(shards.shards) < workers:
            with pytest.raises(InvalidInput, match="workers"):
                shards.of_worker(0, workers)
            return
        parts = [shards.of_worker(index, workers) for index in range(workers)]
        files = [shard.file for part in parts for shard in part.shards]
        assert sorted(files) == [shard.file for shard in shards.shards]
        largest = max(shard.examples for shard in shards.shards)
        assert max(map(len, parts)) - min(map(len, parts)) <= largest


def test_newest_shards_are_kept_whole(tmp_path: Path) -> None:
    shards = made_shards(tmp_path / "examples", [[5, 5], [5, 5], [5, 5], [5, 5]])
    assert {shard.snapshot for shard in shards.newest(0.5, 1000).shards} == {2, 3}
    assert [shard.file for shard in shards.newest(1.0, 17).shards] == [shard.file for shard in shards.shards[-3:]]
    assert len(shards.newest(1.0, 1)) == 5


def test_what_was_bought_before_is_read_only_when_asked_for(tmp_path: Path) -> None:
    shards = made_shards(tmp_path / "examples", [[9]])
    assert len(shards.read(shards.shards[0]).bought_index)
    assert not len(shards.read(shards.shards[0], bought=False).bought_index)


@pytest.mark.parametrize("content", [b"", b"PAR1 broken", None])
def test_broken_shard_is_named(tmp_path: Path, content: bytes | None) -> None:
    shards = made_shards(tmp_path / "examples", [[3], [3]])
    broken = tmp_path / "examples" / shards.shards[1].file
    broken.unlink() if content is None else broken.write_bytes(content)
    assert len(shards.read(shards.shards[0])) == 3
    with pytest.raises(DataRejected, match=f"{broken.name}.*build_training_set"):
        shards.read(shards.shards[1])


def test_shard_with_other_examples_than_the_manifest_says_is_named(tmp_path: Path) -> None:
    shards = made_shards(tmp_path / "examples", [[3, 4]])
    first, second = (tmp_path / "examples" / shard.file for shard in shards.shards)
    first.write_bytes(second.read_bytes())
    with pytest.raises(DataRejected, match=f"{first.name}.*4 rows and should have 3"):
        shards.read(shards.shards[0])


@pytest.mark.parametrize("name", [MANIFEST_NAME, COUNTS_NAME])
def test_folder_without_its_manifest_or_counts_is_refused(tmp_path: Path, name: str) -> None:
    made_shards(tmp_path / "examples", [[3]])
    (tmp_path / "examples" / name).write_text("{}")
    with pytest.raises(DataRejected, match="build_training_set"):
        _ = ExampleShards.of(tmp_path / "examples").target_count
