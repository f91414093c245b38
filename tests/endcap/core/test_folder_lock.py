"""A folder that one process at a time may use."""

import os
from pathlib import Path

import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.folder_lock import locked_folder


def test_a_folder_is_made_and_nobody_else_gets_it_until_it_is_let_go_of(tmp_path: Path) -> None:
    lock = locked_folder(tmp_path / "state", "another one is here")
    with pytest.raises(DependencyUnavailable, match="state: another one is here; stop it first"):
        locked_folder(tmp_path / "state", "another one is here")
    os.close(lock)
    os.close(locked_folder(tmp_path / "state", "another one is here"))


def test_a_place_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(DependencyUnavailable, match="the disk refused"):
        locked_folder(tmp_path / "state", "another one is here")
