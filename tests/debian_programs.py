"""Programs that tests run but that are no Python packages: from the PATH, else from Debian's packages, unpacked and never installed.

Installing them would start servers that listen on all interfaces. `apt-get download` and `dpkg -x` need no rights.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

PACKAGES = {
    "prometheus": ("prometheus",),
    "promtool": ("prometheus",),
    "redis-server": ("redis-server", "redis-tools", "liblzf1", "libjemalloc2", "libatomic1"),
}
"""Debian packages by program: the program's own and those libraries that a small machine lacks."""
LOCK_FOR_ALL = "fetching.lock"


@dataclass(frozen=True, slots=True)
class DebianProgram:
    """A program that runs here.

    Attributes:
        path: the file to execute.
        libraries: folder of the shared libraries that came with it; None when the system has them.
    """

    path: Path
    libraries: Path | None

    def environment(self) -> dict[str, str]:
        """The environment to start it with."""
        if self.libraries is None:
            return dict(os.environ)
        return {**os.environ, "LD_LIBRARY_PATH": str(self.libraries)}


def cache_folder() -> Path:
    """Folder that outlives a test run: `$ENDCAP_TEST_CACHE`, else one in the home folder."""
    return Path(os.environ.get("ENDCAP_TEST_CACHE") or Path.home() / ".cache" / "endcap" / "debian")


def required_program(name: str) -> DebianProgram:
    """The program, or a skipped test with the reason."""
    found = debian_program(name)
    if found is None:
        pytest.skip(f"{name} is neither on PATH nor could Debian's package {PACKAGES[name][0]} be fetched")
    return found


@cache
def debian_program(name: str) -> DebianProgram | None:
    """A program of `PACKAGES`, fetched when it is not there; None when that does not work here."""
    on_path = shutil.which(name)
    if on_path is not None:
        return DebianProgram(Path(on_path), None)
    folder = cache_folder() / PACKAGES[name][0]
    if not folder.is_dir() and not _fetched(PACKAGES[name], folder):
        return None
    found = _unpacked(name, folder)
    return found if found is not None and _runs(found) else None


def _unpacked(name: str, folder: Path) -> DebianProgram | None:
    path = folder / "usr" / "bin" / name
    if not path.exists():
        return None
    libraries = next((each.parent for each in sorted(folder.glob("usr/lib/*/*.so*"))), None)
    return DebianProgram(path, libraries)


def _runs(program: DebianProgram) -> bool:
    done = subprocess.run([program.path, "--version"], env=program.environment(), capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def _fetched(packages: tuple[str, ...], folder: Path) -> bool:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent / LOCK_FOR_ALL), tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        if folder.is_dir():
            return True
        downloads, root = Path(aside) / "downloads", Path(aside) / "root"
        downloads.mkdir()
        if not _downloaded(packages, downloads):
            return False
        for archive in downloads.glob("*.deb"):
            subprocess.run(["dpkg", "-x", archive, root], check=True, timeout=120)
        root.rename(folder)
    return True


def _downloaded(packages: tuple[str, ...], folder: Path) -> bool:
    def worked(*arguments: str) -> bool:
        try:
            done = subprocess.run(["apt-get", "-q", *arguments], cwd=folder, capture_output=True, timeout=120, check=False)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    return worked("download", *packages) or (worked("update") and worked("download", *packages))


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a file's lock, so that test runs at the same time fetch once."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
