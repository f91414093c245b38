"""Milvus's program unpacked once for all homes: that takes most of a minute on a slow machine, and 250 MB."""

import fcntl
import os
from pathlib import Path

import pytest

from endcap.release.index.milvus_program import unpack_program


def share_unpacked_milvus(home: Path, kept: Path) -> None:
    """Give a home folder the unpacked program; those who name the same kept folder later find it done."""
    with (kept / "milvus-bin.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        unpack_program(kept / "milvus-bin")
    (home / "milvus").mkdir(parents=True)
    (home / "milvus" / "bin").symlink_to(kept / "milvus-bin")


def kept_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder of all sessions of this person; a worker's own folder is one deeper than that of a session without workers."""
    base = factory.getbasetemp()
    return base.parents[1] if "PYTEST_XDIST_WORKER" in os.environ else base.parent
