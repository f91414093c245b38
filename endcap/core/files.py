"""Files and folders that appear whole: written beside their place, then renamed.

A reader finds the earlier content or the new one, however the writer ends. No disk is waited for: what a power failure leaves is the
file system's affair.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def replacing_file(target: Path) -> Iterator[Path]:
    """A path to write to; the file takes the place of `target` when the block ends well, and vanishes when it does not.

    Folders above `target` are made. The path has no suffix of its own, so a writer that goes by the suffix must be given the format.
    """
    aside = _beside(target)
    try:
        yield aside
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def replace_text(target: Path, text: str) -> None:
    """Make `text`, in UTF-8, the content of `target`."""
    replace_bytes(target, text.encode())


def replace_bytes(target: Path, content: bytes) -> None:
    """Make `content` the content of `target`."""
    with replacing_file(target) as aside:
        aside.write_bytes(content)


@contextmanager
def folder_beside(target: Path) -> Iterator[Path]:
    """An empty folder in the file system of `target`, removed when the block ends unless `put_folder` gave it its place."""
    aside = _beside(target)
    aside.mkdir()
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """An empty folder to write in; it takes the place of `target` when the block ends well, and vanishes when it does not."""
    with folder_beside(target) as aside:
        yield aside
        put_folder(aside, target)


def put_folder(new: Path, target: Path) -> None:
    """Give a folder its place, in one file system; what stood there goes, and comes back when the folder cannot be renamed.

    Of several writers at once the last one stays.
    """
    with folder_beside(target) as earlier:
        while True:
            replaced = earlier / uuid.uuid4().hex
            with suppress(FileNotFoundError):
                target.rename(replaced)
            try:
                new.rename(target)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):  # another writer was faster
                    continue
                if replaced.exists():
                    replaced.rename(target)
                raise
            return


def link_or_copy(source: str, target: str) -> None:
    """A hard link, or a copy where the file system has none; for `shutil.copytree`."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _beside(target: Path) -> Path:
    """A hidden name that no other writer has, whatever process, thread or machine it runs on."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_name(f".{target.name}.{uuid.uuid4().hex}")
