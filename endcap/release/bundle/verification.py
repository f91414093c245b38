"""Whether a bundle's files are the ones that were exported: SHA-256 once, and later only whether a file was touched since.

A gigabyte takes 1.6 s of a core with SHA instructions, at a start where TensorFlow and Milvus want the same cores.
"""

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from endcap.contracts.bundle import FileEntry
from endcap.core.errors import BundleInvalid
from endcap.core.files import replace_text

_THREADS = 4
"""Hashing and reading leave the interpreter alone."""


class _SeenFile(BaseModel):
    """A file as it was when its hash was taken; any write, replacement or change of its times shows in one of these."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sha256: str
    size_bytes: int
    inode: int
    modified_ns: int
    changed_ns: int


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    files: dict[str, _SeenFile]


def verify_files(folder: Path, entries: Mapping[str, FileEntry]) -> None:
    """Compare every file with its entry of the manifest.

    What was hashed is remembered beside the folder (`.VERSION.verified.json`), where the folder's parent can be written; files that were
    not touched since are not read again.

    Raises:
        BundleInvalid: a file is missing or is not the one that was exported.
    """
    for name, entry in entries.items():
        if not (folder / name).is_file():
            raise BundleInvalid("the file is missing", field=str(folder / name), fix="export the bundle again, or promote another version")
        if (folder / name).stat().st_size != entry.size_bytes:
            raise _changed(folder / name)
    known = _read_record(folder)
    unsure = [name for name, entry in entries.items() if known.get(name) != _seen(folder / name, entry.sha256)]
    if not unsure:
        return
    before = {name: _seen(folder / name, entries[name].sha256) for name in unsure}
    with ThreadPoolExecutor(_THREADS) as threads:
        for name, found in zip(unsure, threads.map(sha256_of, [folder / name for name in unsure]), strict=True):
            if found != entries[name].sha256:
                raise _changed(folder / name)
    _write_record(folder, {name: before.get(name) or known[name] for name in entries})


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _changed(path: Path) -> BundleInvalid:
    return BundleInvalid("the file is not the one that was exported", field=str(path), fix="export the bundle again")


def _seen(path: Path, sha256: str) -> _SeenFile:
    found = path.stat()
    return _SeenFile(
        sha256=sha256, size_bytes=found.st_size, inode=found.st_ino, modified_ns=found.st_mtime_ns, changed_ns=found.st_ctime_ns
    )


def _record_of(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.verified.json")


def _read_record(folder: Path) -> dict[str, _SeenFile]:
    try:
        return _Record.model_validate_json(_record_of(folder).read_bytes()).files
    except (OSError, ValidationError):  # nothing is taken as verified, and every file is hashed
        return {}


def _write_record(folder: Path, files: dict[str, _SeenFile]) -> None:
    try:
        for stale in folder.parent.glob(".*.verified.json"):
            if not folder.with_name(stale.name.removeprefix(".").removesuffix(".verified.json")).is_dir():
                stale.unlink(missing_ok=True)
        replace_text(_record_of(folder), _Record(files=files).model_dump_json())
    except OSError:  # a folder that cannot be written costs a hash at the next start, nothing else
        return
