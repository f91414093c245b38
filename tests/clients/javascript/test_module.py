"""The module as it is served."""

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.clients.javascript.bundler import required_bundler
from tests.clients.javascript.shop import MODULE
from tests.install.distributions import LIBRARY, distributions

BUNDLE = MODULE / "dist" / "endcap.js"
BYTES_MAX = 5_000


def test_packed_it_has_less_than_five_kilobytes() -> None:
    assert len(gzip.compress(BUNDLE.read_bytes(), mtime=0)) < BYTES_MAX


def test_it_loads_nothing_else() -> None:
    assert re.findall(r"\bimport\b|\bfrom\s*[\"']", BUNDLE.read_text(encoding="utf-8")) == []
    package = json.loads((MODULE / "package.json").read_text(encoding="utf-8"))
    assert "dependencies" not in package


def test_its_version_is_that_of_all_parts() -> None:
    package = json.loads((MODULE / "package.json").read_text(encoding="utf-8"))
    assert package["version"] == distributions()[LIBRARY].version


def test_the_lock_names_no_host() -> None:
    assert "://" not in re.sub(r'"url": "[^"]*"', "", (MODULE / "package-lock.json").read_text(encoding="utf-8"))


@pytest.mark.processes
def test_it_is_built_from_its_sources(tmp_path: Path) -> None:
    bundler = required_bundler()
    shutil.copytree(MODULE / "src", tmp_path / "src")
    shutil.copy(MODULE / "package.json", tmp_path / "package.json")
    (tmp_path / "node_modules").symlink_to(bundler / "node_modules")
    subprocess.run(["npm", "run", "--silent", "build"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    assert (tmp_path / "dist" / "endcap.js").read_text() == BUNDLE.read_text(), "renew it with `npm run build` in clients/javascript"
