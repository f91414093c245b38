"""The record of the last deployment is there, is not there, or cannot be read; the last is not taken for the second."""

from pathlib import Path

import pytest

from endcap.core.errors import EndcapError
from endcap.release.bundle.deployment_record import RECORD_NAME, Deployment, read_deployment, write_deployment


def test_what_was_written_is_read(tmp_path: Path) -> None:
    deployment = Deployment(version=7, rollout="endcap-7")
    write_deployment(tmp_path / "home", deployment)
    assert read_deployment(tmp_path / "home") == deployment


def test_a_record_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_deployment(tmp_path) is None
    assert read_deployment(tmp_path / "no home") is None


@pytest.mark.parametrize("content", ["", "{", '{"version": 7, "shelf": 1}'])
def test_a_record_that_is_damaged_or_of_another_shape_is_an_error_that_names_it(tmp_path: Path, content: str) -> None:
    (tmp_path / RECORD_NAME).write_text(content)
    with pytest.raises(EndcapError, match=r"deployment\.json: the record of the last deployment cannot be read"):
        read_deployment(tmp_path)


def test_a_record_that_the_disk_does_not_give_is_an_error(tmp_path: Path) -> None:
    (tmp_path / RECORD_NAME).mkdir()
    with pytest.raises(EndcapError, match=r"cannot be read: .*Is a directory"):
        read_deployment(tmp_path)
