"""A file is read again only when it was touched, and a changed one is found either way."""

import hashlib
import os
from pathlib import Path

import pytest

from endcap.contracts.bundle import FileEntry
from endcap.core.errors import BundleInvalid
from endcap.release.bundle import verification
from endcap.release.bundle.verification import verify_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "base" / "7"
    (made / "tables").mkdir(parents=True)
    for name in ("model", "tables/items"):
        (made / name).write_bytes(name.encode())
    return made


@pytest.fixture
def entries(folder: Path) -> dict[str, FileEntry]:
    return {name: FileEntry(size_bytes=len(name), sha256=hashlib.sha256(name.encode()).hexdigest()) for name in ("model", "tables/items")}


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were read."""
    names: list[str] = []
    read = verification.sha256_of

    def spy(path: Path) -> str:
        names.append(path.name)
        return read(path)

    monkeypatch.setattr(verification, "sha256_of", spy)
    return names


def test_untouched_files_are_read_once(folder: Path, entries: dict[str, FileEntry], hashed: list[str]) -> None:
    verify_files(folder, entries)
    verify_files(folder, entries)
    assert sorted(hashed) == ["items", "model"]


def test_a_touched_file_is_read_again_and_only_that_one(folder: Path, entries: dict[str, FileEntry], hashed: list[str]) -> None:
    verify_files(folder, entries)
    os.utime(folder / "model", ns=(1, 1))
    verify_files(folder, entries)
    assert hashed.count("model") == 2
    assert hashed.count("items") == 1


def test_a_change_of_the_same_length_is_found_even_with_the_old_times(folder: Path, entries: dict[str, FileEntry]) -> None:
    verify_files(folder, entries)
    times = (folder / "model").stat()
    (folder / "model").write_bytes(b"MODEL")
    os.utime(folder / "model", ns=(times.st_atime_ns, times.st_mtime_ns))
    with pytest.raises(BundleInvalid, match=r"model.*exported"):
        verify_files(folder, entries)


def test_a_replaced_file_is_found(folder: Path, entries: dict[str, FileEntry]) -> None:
    verify_files(folder, entries)
    (folder / "other").write_bytes(b"MODEL")
    (folder / "other").replace(folder / "model")
    with pytest.raises(BundleInvalid, match=r"model.*exported"):
        verify_files(folder, entries)


def test_another_manifest_is_not_satisfied_by_what_is_remembered(folder: Path, entries: dict[str, FileEntry]) -> None:
    verify_files(folder, entries)
    with pytest.raises(BundleInvalid, match="model"):
        verify_files(folder, entries | {"model": FileEntry(size_bytes=5, sha256="0" * 64)})


def test_a_broken_record_only_costs_a_read(folder: Path, entries: dict[str, FileEntry], hashed: list[str]) -> None:
    verify_files(folder, entries)
    (folder.parent / ".7.verified.json").write_text("{")
    verify_files(folder, entries)
    assert len(hashed) == 4


def test_records_of_versions_that_are_gone_go_too(folder: Path, entries: dict[str, FileEntry]) -> None:
    stale = folder.parent / ".6.verified.json"
    stale.write_text("{}")
    verify_files(folder, entries)
    assert not stale.exists()
    assert (folder.parent / ".7.verified.json").exists()


def test_a_record_that_can_be_neither_read_nor_written_costs_a_read_each_time(
    folder: Path, entries: dict[str, FileEntry], hashed: list[str]
) -> None:
    (folder.parent / ".7.verified.json").mkdir()
    for _ in range(2):
        verify_files(folder, entries)
    assert len(hashed) == 4
    (folder / "model").write_bytes(b"MODEL")
    with pytest.raises(BundleInvalid, match=r"model.*exported"):
        verify_files(folder, entries)
