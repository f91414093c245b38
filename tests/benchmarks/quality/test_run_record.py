"""A run's record is used again only when it is whole."""

from pathlib import Path

import numpy as np
import pytest

from endcap.evaluation.ranked_lists import RankedLists
from endcap_benchmarks.quality.recommending import Recommended
from endcap_benchmarks.quality.runs import LISTS_FILE, RECORD_FILE, read_record, write_record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lists = {"all": RankedLists(np.array([[1, 2], [3, 1]], dtype=np.int32))}
    write_record(tmp_path / "run", Recommended(lists, fit_s=1.0, score_s=0.1), 200.0)
    return tmp_path / "run"


def test_a_record_that_is_not_there_is_none(folder: Path) -> None:
    record = read_record(folder)
    assert record is not None and record.lists["all"].items.tolist() == [[1, 2], [3, 1]]
    assert read_record(folder / "none") is None
    (folder / LISTS_FILE).unlink()
    assert read_record(folder) is None


@pytest.mark.parametrize("file", [RECORD_FILE, LISTS_FILE])
@pytest.mark.parametrize("content", [b"", b"{", b"PK\x03\x04half"])
def test_a_record_that_broke_off_is_made_again(folder: Path, file: str, content: bytes) -> None:
    (folder / file).write_bytes(content)
    assert read_record(folder) is None


@pytest.mark.parametrize("file", [RECORD_FILE, LISTS_FILE])
def test_a_record_that_the_disk_does_not_give_is_an_error_and_not_none(folder: Path, file: str) -> None:
    (folder / file).unlink()
    (folder / file).mkdir()
    with pytest.raises(IsADirectoryError):
        read_record(folder)
