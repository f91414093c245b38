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
    "chromium": ("chromium", "chromium-common"),
    "prometheus": ("prometheus",),
    "promtool": ("prometheus",),
    "redis-server": ("redis-server", "redis-tools", "liblzf1", "libjemalloc2", "libatomic1"),
}
"""Debian packages by program: the program's own and those libraries that a small machine lacks."""
MANY_LIBRARIES = ("chromium",)
"""Programs with too many libraries to name: those that apt would install with them come along."""
WHERE = {"chromium": "usr/lib/chromium/chromium"}
"""Where a program lies in its packages, if not in `usr/bin`."""
LOCK_FOR_ALL = "fetching.lock"


@dataclass(frozen=True, slots=True)
class DebianProgram:
    """A program that runs here.

    Attributes:
        path: the file to execute.
        libraries: folders of the shared libraries that came with it; none when the system has them.
    """

    path: Path
    libraries: tuple[Path, ...] = ()

    def environment(self) -> dict[str, str]:
        """The environment to start it with."""
        if not self.libraries:
            return dict(os.environ)
        return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(map(str, self.libraries))}


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
        return DebianProgram(Path(on_path))
    folder = cache_folder() / PACKAGES[name][0]
    if not folder.is_dir() and not _fetched(name, folder):
        return None
    found = _unpacked(name, folder)
    return found if found is not None and _runs(found) else None


def _unpacked(name: str, folder: Path) -> DebianProgram | None:
    path = folder / WHERE.get(name, f"usr/bin/{name}")
    if not path.exists():
        return None
    libraries = {each.parent for pattern in ("usr/lib/*/*.so*", "lib/*/*.so*") for each in folder.glob(pattern)}
    return DebianProgram(path, tuple(sorted(libraries)))


def _runs(program: DebianProgram) -> bool:
    done = subprocess.run([program.path, "--version"], env=program.environment(), capture_output=True, timeout=60, check=False)
    return done.returncode == 0


def _fetched(name: str, folder: Path) -> bool:
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent / LOCK_FOR_ALL), tempfile.TemporaryDirectory(dir=folder.parent) as aside:
        if folder.is_dir():
            return True
        downloads, root = Path(aside) / "downloads", Path(aside) / "root"
        downloads.mkdir()
        if not _downloaded(name, downloads):
            return False
        for archive in downloads.glob("*.deb"):
            subprocess.run(["dpkg", "-x", archive, root], check=True, timeout=120)
        root.rename(folder)
    return True


def _downloaded(name: str, folder: Path) -> bool:
    def tried() -> bool:
        packages = {*PACKAGES[name], *(_lacking(name) if name in MANY_LIBRARIES else ())}
        return _apt(folder, "download", *sorted(packages)) is not None

    return tried() or (_apt(folder, "update") is not None and tried())


def _lacking(name: str) -> tuple[str, ...]:
    """What apt would install with a program; it is only asked."""
    planned = _apt(None, "--simulate", "install", "--no-install-recommends", *PACKAGES[name]) or ""
    return tuple(line.split()[1] for line in planned.splitlines() if line.startswith("Inst "))


def _apt(folder: Path | None, *arguments: str) -> str | None:
    """What apt-get says; None when it fails."""
    try:
        done = subprocess.run(["apt-get", "-q", *arguments], cwd=folder, capture_output=True, text=True, timeout=240, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Hold a file's lock, so that test runs at the same time fetch once."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
