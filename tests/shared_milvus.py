"""Milvus for tests: its program unpacked once for all homes, which takes most of a minute on a slow machine and 250 MB; and its end."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from endcap.core.settings import MilvusSettings, Settings
from endcap.release.index.local_server import running_milvus
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


@contextmanager
def milvus_until_killed(settings: Settings) -> Iterator[MilvusSettings]:
    """A home's Milvus, killed at the end: its orderly stop takes ten seconds, and nothing of it is kept."""
    with running_milvus(settings) as running:
        try:
            yield running
        finally:
            for each in psutil.Process().children():
                if each.name() == "milvus" and Path(each.cwd()) == settings.milvus_dir.resolve():
                    each.kill()


def kill_milvus_of(supervisor_pid: int) -> None:
    """End the Milvus below a process at once, before that is asked to end."""
    with suppress(psutil.NoSuchProcess):
        for each in psutil.Process(supervisor_pid).children(recursive=True):
            if each.name() == "milvus":
                each.kill()
