import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.distributions import ROOT, distributions

UV = Path(sys.executable).with_name("uv")
_NOT_PACKAGED = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel of every distribution, built from a copy of the sources: a build leaves files beside them."""
    copy = tmp_path_factory.mktemp("sources")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    for one in distributions().values():
        folder = copy / one.folder.relative_to(ROOT)
        shutil.copytree(one.folder / one.package, folder / one.package, ignore=_NOT_PACKAGED)
        for name in ("pyproject.toml", "LICENSE"):
            shutil.copy(one.folder / name, folder / name)
    built = tmp_path_factory.mktemp("wheels")
    options = ["--quiet", "--offline", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", built]
    for one in distributions().values():
        subprocess.run([UV, "build", *options, copy / one.folder.relative_to(ROOT)], cwd=copy, check=True)
    return built
