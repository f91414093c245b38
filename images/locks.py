"""The lock file of every image: `python -m images.locks`, after `requirements/all.txt` was renewed.

An image's lock holds what its extras of pyproject.toml need, at the versions of `requirements/all.txt`, so that what is tested is what runs.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
ALL = ROOT / "requirements" / "all.txt"
LOCKS = ROOT / "requirements" / "images"


@dataclass(frozen=True)
class Lock:
    """One lock: its extras of pyproject.toml, what they do not say, and the packages that only this image has (names may end in `*`)."""

    extras: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    only_here: tuple[str, ...] = ()


_STEPS = ("data", "features", "training", "pipelines", "index")
IMAGE_LOCKS = {
    "build": Lock(more=("setuptools>=75",)),
    "transformer": Lock(extras=("transformer",)),
    "rollout-operator": Lock(extras=("rollout-operator",)),
    "pipeline": Lock(extras=_STEPS),
    "pipeline-gpu": Lock(extras=_STEPS, more=("tensorflow[and-cuda]>=2.20,<2.22",), only_here=("nvidia-*",)),
    "spark": Lock(extras=("spark", "pipelines", "index"), only_here=("pyspark", "py4j")),
}
"""`build` is what turns endcap's source into a wheel; it is in no final image."""


def compile_lock(name: str, pyproject: Path = ROOT / "pyproject.toml") -> None:
    """Write one lock file.

    Raises:
        subprocess.CalledProcessError: no set of versions fits; uv has said why.
    """
    lock = IMAGE_LOCKS[name]
    extras = [argument for extra in lock.extras for argument in ("--extra", extra)]
    sources = [str(pyproject)] if lock.extras else []
    command = [
        str(Path(sys.executable).with_name("uv")), "pip", "compile", *sources, "-", *extras, "--constraint", str(ALL.relative_to(ROOT)),
        "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate", "--quiet",
        "--output-file", str(LOCKS / f"{name}.txt"),
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, input="\n".join(lock.more), text=True, check=True)


if __name__ == "__main__":
    for lock_name in IMAGE_LOCKS:
        compile_lock(lock_name)
