"""Where the definitions look for feature tables: one place, whatever folder Feast changes into."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
SHOW = "from endcap_feature_repo.sources import SETTINGS; print(SETTINGS.features_dir)"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The folder of the package without a checkout around it."""
    return Path(shutil.copytree(ROOT / "feature_repo" / "endcap_feature_repo", tmp_path / "site-packages" / "endcap_feature_repo"))


def shown(package: Path, folder: Path, home: str) -> subprocess.CompletedProcess[str]:
    code = f"import sys; sys.path.insert(0, {str(package.parent)!r}); {SHOW}"
    environment = {"PYTHONPATH": str(ROOT), "ENDCAP_HOME": home, "PYTHONWARNINGS": "ignore"}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_in_a_checkout_a_relative_home_lies_in_its_root() -> None:
    package = ROOT / "feature_repo" / "endcap_feature_repo"
    assert shown(package, package, ".somewhere").stdout.strip() == str(ROOT / ".somewhere" / "features")


def test_installed_a_relative_home_lies_in_the_working_folder(installed: Path, tmp_path: Path) -> None:
    assert shown(installed, tmp_path, ".somewhere").stdout.strip() == str(tmp_path / ".somewhere" / "features")


def test_installed_feast_needs_an_absolute_home_as_it_changes_the_folder(installed: Path, tmp_path: Path) -> None:
    refused = shown(installed, installed, ".somewhere")
    assert refused.returncode
    assert "ENDCAP_HOME" in refused.stderr
    assert "absolute" in refused.stderr
    assert shown(installed, installed, str(tmp_path)).stdout.strip() == str(tmp_path / "features")
