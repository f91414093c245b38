"""A release counts as done only by a whole record of it beside the folder that serves it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.promotion import promote_bundle
from endcap.release.bundle.release_record import RECORD_NAME, ReleaseRecord, forget_release, read_release, write_release

RECORD = ReleaseRecord(version=1, collection="endcap_1", run_id=None, dataset_fingerprint="f" * 64, metrics={"full/ndcg@10": 0.4})


@pytest.fixture
def served_dir(make_bundle: Callable[..., Bundle], tmp_path: Path) -> Path:
    promote_bundle(make_bundle(1), tmp_path / "served")
    return tmp_path / "served"


def test_a_record_that_is_not_there_is_none(served_dir: Path) -> None:
    assert read_release(served_dir) is None
    write_release(served_dir, RECORD)
    assert read_release(served_dir) == RECORD
    forget_release(served_dir)
    assert read_release(served_dir) is None


@pytest.mark.parametrize("content", ["", "{", '{"shelf": 1}'])
def test_a_record_that_is_damaged_or_of_another_version_is_no_release(served_dir: Path, content: str) -> None:
    (served_dir / RECORD_NAME).write_text(content)
    assert read_release(served_dir) is None


def test_a_record_that_the_disk_does_not_give_is_an_error_and_not_none(served_dir: Path) -> None:
    (served_dir / RECORD_NAME).mkdir()
    with pytest.raises(IsADirectoryError, match=RECORD_NAME):
        read_release(served_dir)
