"""Where the programs of a control plane come from: KUBEBUILDER_ASSETS, else built once with Go and kept outside the tree."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent
VERSION = "v1.36.3"
LINKER_FLAGS = f"-s -w -X k8s.io/component-base/version.gitVersion={VERSION}"
"""Helm refuses an API server whose version is not set."""
BUILD = ("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", LINKER_FLAGS, "-v")
NAMES = {"server": "etcd", "kube-apiserver": "kube-apiserver", "kube-controller-manager": "kube-controller-manager"}
"""What Go names a program by its folder, and what it is named here."""
TAIL = 40


class NoPrograms(Exception):
    """There is no control plane to be had on this machine; the message says what would give one."""


class BuildFailed(Exception):
    """Go is there but did not build; the message ends with what it said last."""


@dataclass(frozen=True)
class Programs:
    """Paths of the three programs."""

    folder: Path

    @property
    def etcd(self) -> Path:
        return self.folder / "etcd"

    @property
    def api_server(self) -> Path:
        return self.folder / "kube-apiserver"

    @property
    def controller_manager(self) -> Path:
        return self.folder / "kube-controller-manager"

    def missing(self) -> list[str]:
        return [name for name in NAMES.values() if not os.access(self.folder / name, os.X_OK)]


def find_programs(environment: Mapping[str, str], say: Callable[[str], None]) -> Programs:
    """The programs, built first where they are not.

    Args:
        say: takes one line of progress.

    Raises:
        NoPrograms: neither assets nor Go.
        BuildFailed: Go could not build them.
    """
    assets = environment.get("KUBEBUILDER_ASSETS")
    without = "KUBEBUILDER_ASSETS is not set"
    if assets:
        given = Programs(Path(assets))
        missing = given.missing()
        if not missing:
            return given
        without = f"KUBEBUILDER_ASSETS={assets} has no {', '.join(missing)}"
    kept = Programs(cache_folder(environment))
    if not kept.missing():
        return kept
    if shutil.which("go", path=environment.get("PATH")) is None:
        raise NoPrograms(f"no cluster: KUBECONFIG is not set, {without}, and there is no Go to build one; give one of the three")
    return _build(kept, environment, say)


def cache_folder(environment: Mapping[str, str]) -> Path:
    """A folder of its own for each set of sources and flags."""
    root = environment.get("ENDCAP_TEST_CACHE")
    base = Path(root) if root else Path(environment.get("HOME") or Path.home()) / ".cache" / "endcap"
    key = hashlib.sha256()
    for part in ((SOURCES / "go.mod").read_bytes(), (SOURCES / "go.sum").read_bytes(), " ".join(BUILD).encode()):
        key.update(hashlib.sha256(part).digest())
    return base / "control-plane" / key.hexdigest()


def _build(kept: Programs, environment: Mapping[str, str], say: Callable[[str], None]) -> Programs:
    parent = kept.folder.parent
    parent.mkdir(parents=True, exist_ok=True)
    with (parent / "lock").open("w") as lock:
        say("control plane: waiting for another build, if there is one")
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.missing():
            return kept
        aside = Path(tempfile.mkdtemp(prefix="building-", dir=parent))
        try:
            say(f"control plane: building etcd and Kubernetes {VERSION} with Go, once: about 4 minutes on two cores, 8 with downloads")
            _run_go(aside, environment, say)
            for built, name in NAMES.items():
                (aside / built).rename(aside / name)
            shutil.rmtree(kept.folder, ignore_errors=True)
            aside.rename(kept.folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    say(f"control plane: kept in {kept.folder}")
    return kept


def _run_go(target: Path, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    command = [*BUILD, "-o", f"{target}{os.sep}", "tool"]
    said: list[str] = []
    with subprocess.Popen(command, cwd=SOURCES, env={**environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as go:
        assert go.stdout is not None
        for number, line in enumerate(go.stdout, 1):
            said.append(line)
            if number % 100 == 0:
                say(f"control plane: {number} packages, now {line.strip()}")
    if go.returncode:
        raise BuildFailed(f"{' '.join(command)} ended with {go.returncode}:\n{''.join(said[-TAIL:])}")
