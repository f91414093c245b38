"""Files and folders that appear whole."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from endcap.core.files import folder_beside, link_or_copy, put_folder, replace_bytes, replace_text, replacing_file, replacing_folder

KILLED = """
import os, signal, sys
from pathlib import Path
from endcap.core.files import {context}
with {context}(Path(sys.argv[1])) as aside:
    (aside if "{context}" == "replacing_file" else aside / "file").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def strict_umask() -> Iterator[None]:
    earlier = os.umask(0o027)
    yield
    os.umask(earlier)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.txt"
    replace_text(target, "früher")
    with replacing_file(target) as aside:
        aside.write_text("half")
        assert target.read_text(encoding="utf-8") == "früher"
        aside.write_text("new")
    assert target.read_text() == "new"
    replace_bytes(target, b"\x00\xff")
    assert target.read_bytes() == b"\x00\xff"
    assert names(target.parent) == ["file.txt"]


def test_a_failed_write_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "file"
    replace_text(target, "earlier")
    with pytest.raises(RuntimeError, match="broken"), replacing_file(target) as aside:
        aside.write_text("half")
        raise RuntimeError("broken")
    assert target.read_text() == "earlier"
    assert names(tmp_path) == ["file"]


def test_a_writer_that_wrote_nothing_fails_and_keeps_the_earlier_file(tmp_path: Path) -> None:
    target = tmp_path / "file"
    replace_text(target, "earlier")
    with pytest.raises(FileNotFoundError), replacing_file(target):
        pass
    assert target.read_text() == "earlier"


def test_a_file_does_not_replace_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        replace_text(tmp_path / "folder", "text")
    assert names(tmp_path) == ["folder"]


@pytest.mark.processes
@pytest.mark.parametrize("context", ["replacing_file", "replacing_folder"])
def test_a_killed_writer_leaves_the_earlier_content_whole(tmp_path: Path, context: str) -> None:
    target = tmp_path / "target"
    if context == "replacing_file":
        target.write_text("earlier")
    else:
        target.mkdir()
        (target / "file").write_text("earlier")
    ended = subprocess.run([sys.executable, "-c", KILLED.format(context=context), target], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (target if target.is_file() else target / "file").read_text() == "earlier"
    assert all(name == "target" or name.startswith(".target.") for name in names(tmp_path))


def test_files_and_folders_have_the_permissions_that_the_process_gives(tmp_path: Path, strict_umask: None) -> None:
    replace_text(tmp_path / "file", "text")
    with replacing_folder(tmp_path / "folder"):
        pass
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o750


def test_a_file_keeps_the_permissions_that_its_writer_gives(tmp_path: Path) -> None:
    with replacing_file(tmp_path / "program") as aside:
        aside.write_bytes(b"")
        aside.chmod(0o755)
    assert (tmp_path / "program").stat().st_mode & 0o777 == 0o755


def test_a_reader_sees_one_writers_file_whole_while_many_write(tmp_path: Path) -> None:
    target = tmp_path / "file"
    contents = {letter: letter.encode() * 100_000 for letter in "abcd"}

    def write(letter: str) -> None:
        for _ in range(50):
            replace_bytes(target, contents[letter])

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, letter) for letter in contents]
        seen = set()
        while not all(each.done() for each in writing):
            if target.exists():
                seen.add(target.read_bytes())
        for each in writing:
            each.result()
    assert seen | {target.read_bytes()} <= set(contents.values())
    assert names(tmp_path) == ["file"]


def test_of_writers_of_a_folder_at_once_one_stays_whole(tmp_path: Path) -> None:
    target = tmp_path / "folder"

    def write(writer: int) -> None:
        for _ in range(30):
            with replacing_folder(target) as folder:
                for name in "ab":
                    (folder / name).write_text(str(writer))

    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(write, writer) for writer in range(4)]:
            each.result()
    assert names(target) == ["a", "b"]
    assert (target / "a").read_text() == (target / "b").read_text()
    assert names(tmp_path) == ["folder"]


def test_a_folder_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "data"
    for content in ("first", "second"):
        with replacing_folder(target) as folder:
            (folder / "file").write_text(content)
            assert not target.exists() or (target / "file").read_text() == "first"
        assert (target / "file").read_text() == content
    assert list(target.parent.iterdir()) == [target]


def test_a_failed_folder_leaves_nothing(tmp_path: Path) -> None:
    target = tmp_path / "data"
    with pytest.raises(RuntimeError, match="broken"), replacing_folder(target) as folder:
        (folder / "file").write_text("half")
        raise RuntimeError("broken")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_get_its_place_leaves_the_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "file").write_text("earlier")
    with pytest.raises(FileNotFoundError):
        put_folder(tmp_path / "missing", tmp_path / "data")
    assert (tmp_path / "data" / "file").read_text() == "earlier"
    assert names(tmp_path) == ["data"]


def test_a_folder_beside_another_is_gone_unless_it_was_put(tmp_path: Path) -> None:
    target = tmp_path / "data"
    with folder_beside(target) as dropped:
        (dropped / "file").touch()
    assert names(tmp_path) == []
    with folder_beside(target) as kept:
        (kept / "file").touch()
        put_folder(kept, target)
    assert names(target) == ["file"]


def test_a_copy_is_a_link_where_there_are_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "source").write_text("text")
    link_or_copy(str(tmp_path / "source"), str(tmp_path / "linked"))
    assert (tmp_path / "linked").samefile(tmp_path / "source")

    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    link_or_copy(str(tmp_path / "source"), str(tmp_path / "copied"))
    assert not (tmp_path / "copied").samefile(tmp_path / "source")
    assert (tmp_path / "copied").read_text() == "text"
