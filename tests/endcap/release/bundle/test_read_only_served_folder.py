"""The served folder as KServe mounts it, read-only: read like any other, and never promoted into."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.promotion import promote_bundle

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[4]
READ = """
from endcap.release.bundle.promotion import served_bundle, served_version
from endcap.core.settings import load_settings
served = load_settings().served_dir
print(served_version(served), served_bundle(served).manifest.name)
"""
RELEASE = """
import sys
from pathlib import Path
from endcap.release.bundle.manifest import open_bundle
from endcap.release.bundle.release import release_bundle
from endcap.core.settings import load_settings
release_bundle(open_bundle(Path(sys.argv[1])), load_settings())
"""


def run_read_only(folder: Path, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a Python program that sees the folder read-only, as a mount for root and by its mode for others."""
    command = [sys.executable, "-c", program, *arguments]
    if os.geteuid() == 0:
        mount = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
        command = ["unshare", "--mount", "sh", "-c", mount, str(folder), *command]
        if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode != 0:
            pytest.skip("a read-only mount takes root's rights")
    else:
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555)
    environment = {"ENDCAP_SERVING__BUNDLE_DIR": str(folder), "ENDCAP_MILVUS__PORT": "1", "ENDCAP_MILVUS__MANAGED": "false"}
    environment |= {"ENDCAP_HOME": str(folder.parent / "home")}
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


@pytest.fixture
def mounted(make_bundle: Callable[..., Bundle], tmp_path: Path) -> Path:
    """`/mnt/models` of a pod: a version's folder of the bundle store."""
    promote_bundle(make_bundle(7), tmp_path / "models")
    return tmp_path / "models"


def test_it_is_read(mounted: Path) -> None:
    done = run_read_only(mounted, READ)
    assert done.stdout == "7 endcap-7\n", done.stderr


def test_a_release_into_it_is_refused_before_anything_moves(mounted: Path, make_bundle: Callable[..., Bundle], tmp_path: Path) -> None:
    done = run_read_only(mounted, RELEASE, str(make_bundle(8).path))
    assert done.returncode != 0
    assert (
        "endcap.core.errors.InvalidInput: ENDCAP_SERVING__BUNDLE_DIR: the served folder is read-only here" in done.stderr.splitlines()[-1]
    )
    assert not (tmp_path / "home").exists()
