"""Commands in a built image, and what every image must be like inside."""

import json
import subprocess

from packaging.utils import canonicalize_name

from images.dry_build import DryBuild
from images.locks import IMAGE_LOCKS, LOCKS, ROOT
from tests.images.pins import pins
from tests.install.distributions import LIBRARY, read_distribution

LOOK = """
import importlib.metadata, json, os, pathlib, shutil, sys
venv = pathlib.Path(sys.prefix)
sources = list(venv.rglob("site-packages/**/*.py"))
print(json.dumps({
    "uid": os.getuid(),
    "packages": sorted(d.metadata["Name"] for d in importlib.metadata.distributions()),
    "programs": [name for name in ("pip", "uv") if (venv / "bin" / name).exists()],
    "compiled": sum((p.parent / "__pycache__" / f"{p.stem}.{sys.implementation.cache_tag}.pyc").exists() for p in sources) / len(sources),
    "writable": [str(p) for p in pathlib.Path("/opt").rglob("*") if not p.is_symlink() and os.access(p, os.W_OK)],
}))
"""
WRITE = (
    "for place in / /opt /opt/venv /usr /etc /var/lib; do touch $place/x 2>/dev/null && echo $place; done; touch /tmp/x /var/lib/endcap/x"
)


def run(build: DryBuild, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command as the image runs it: uid 10001, everything read-only but /tmp and /var/lib/endcap."""
    return subprocess.run(build.starting(command, **environment), capture_output=True, text=True, check=False, timeout=300)


def succeed(build: DryBuild, *command: str, **environment: str) -> str:
    """What the command printed; it must not fail."""
    done = run(build, *command, **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def assert_sound(build: DryBuild, lock: str) -> None:
    """The image holds its lock and its distributions and no more, compiled, without an installer, and lets its user write nowhere else."""
    seen = json.loads(succeed(build, "python", "-c", LOOK))
    assert seen["uid"] == 10001
    own = {LIBRARY, *(read_distribution(ROOT / folder).name for folder in IMAGE_LOCKS[lock].distributions)}
    assert {canonicalize_name(name) for name in seen["packages"]} == pins(LOCKS / f"{lock}.txt").keys() | own
    assert seen["programs"] == []
    assert seen["compiled"] > 0.95  # the rest are files of other Pythons and templates
    assert seen["writable"] == []
    assert succeed(build, "sh", "-c", WRITE) == ""
