"""The lock file of every image: `python -m images.locks`, after those of requirements/ were renewed.

An image's lock holds what its extras of pyproject.toml need, at the versions that are tested.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTED = ("requirements/all.txt", "requirements/spark.txt")
LOCKS = ROOT / "requirements" / "images"


@dataclass(frozen=True)
class Lock:
    """One lock: endcap's extras, what they do not say, and the packages that nothing else has (names may end in `*`).

    Unless `of_endcap` it holds neither endcap's own requirements nor its extras'.
    """

    extras: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    only_here: tuple[str, ...] = ()
    of_endcap: bool = True


_STEPS = ("data", "features", "training", "algorithms", "pipelines", "index")
IMAGE_LOCKS = {
    "build": Lock(more=("setuptools>=75",), of_endcap=False),
    "transformer": Lock(extras=("transformer", "online", "index")),
    "rollout-operator": Lock(extras=("rollout-operator",)),
    "pipeline": Lock(extras=_STEPS),
    "pipeline-gpu": Lock(extras=_STEPS, more=("tensorflow[and-cuda]>=2.20,<2.22",), only_here=("nvidia-*",)),
    "spark": Lock(more=("ibis-framework[pyspark]>=11", "pyspark>=4.0,<4.1")),
}
"""`build` is what turns endcap's source into a wheel; it is in no final image."""

LEFT_OUT = ("mypy", "mypy-extensions", "ast-serialize", "librt", "pathspec", "types-greenlet")
"""Required by Feast, by way of an extra of SQLAlchemy, and imported by neither: a type checker of 70 MB."""


def compile_lock(name: str, pyproject: Path = ROOT / "pyproject.toml") -> None:
    """Write one lock file.

    Raises:
        subprocess.CalledProcessError: no set of versions fits; uv has said why.
    """
    lock = IMAGE_LOCKS[name]
    extras = [argument for extra in lock.extras for argument in ("--extra", extra)]
    left_out = [argument for package in LEFT_OUT for argument in ("--no-emit-package", package)]
    sources = [str(pyproject)] if lock.of_endcap else []
    constraints = [argument for path in TESTED for argument in ("--constraint", path)]
    command = [
        str(Path(sys.executable).with_name("uv")), "pip", "compile", *sources, "-", *extras, *constraints,
        "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate", "--quiet",
        *left_out, "--output-file", str(LOCKS / f"{name}.txt"),
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, input="\n".join(lock.more), text=True, check=True)


if __name__ == "__main__":
    for lock_name in IMAGE_LOCKS:
        compile_lock(lock_name)
