"""The lock file of every image: `python -m images.locks`, after those of requirements/ were renewed.

An image's lock holds what the distributions that it installs need, at the versions that are tested.
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
    """One lock: the distributions that the image installs, by folder, what they do not say, and the packages that nothing else has.

    Attributes:
        distributions: their own requirements, and those of the distributions that they name.
        extras: of the library, where it is among the distributions.
        more: requirements that are in no pyproject.toml.
        only_here: names may end in `*`.
    """

    distributions: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    only_here: tuple[str, ...] = ()


_STEPS = ("components", "feature_repo", "pipelines")
IMAGE_LOCKS = {
    "build": Lock(more=("setuptools>=75",)),
    "transformer": Lock(distributions=("transformers",)),
    "collector": Lock(distributions=("services/collector",)),
    "stream": Lock(distributions=("services/stream",)),
    "rollout-operator": Lock(distributions=("services/rollout_operator",)),
    "pipeline": Lock(distributions=_STEPS),
    "pipeline-gpu": Lock(distributions=_STEPS, more=("tensorflow[and-cuda]>=2.20,<2.22",), only_here=("nvidia-*",)),
    "spark": Lock(distributions=(".", "services/stream"), extras=("spark",)),
}
"""`build` is what turns endcap's source into wheels; it is in no final image."""

LEFT_OUT = ("mypy", "mypy-extensions", "ast-serialize", "librt", "pathspec", "types-greenlet")
"""Required by Feast, by way of an extra of SQLAlchemy, and imported by neither: a type checker of 70 MB."""


def compile_lock(name: str) -> None:
    """Write one lock file.

    Raises:
        subprocess.CalledProcessError: no set of versions fits; uv has said why.
    """
    lock = IMAGE_LOCKS[name]
    extras = [argument for extra in lock.extras for argument in ("--extra", extra)]
    left_out = [argument for package in LEFT_OUT for argument in ("--no-emit-package", package)]
    sources = [f"{folder}/pyproject.toml" for folder in lock.distributions]
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
