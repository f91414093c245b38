"""What somebody has who installs the wheels: the whole way from their own files to an answer, in a folder of their own."""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.install.conftest import UV
from tests.install.distributions import ROOT, distributions
from tests.install.made_shop import ITEMS, sku, write_shop
from tests.serving_environment import SERVING_PORTS, UNHURRIED

pytestmark = [
    pytest.mark.install,
    pytest.mark.processes,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not os.environ.get("ENDCAP_TEST_INSTALL"), reason="installs everything anew and trains: make test-install"),
]

INSTALLED = ("endcap-local", "endcap-pipelines", "endcap-rollout-operator")
"""What is named; the others come with them."""
NOT_INSTALLED = {"endcap-benchmarks"}
HUGGING_FACE = "transformers>=4.57,<6"
SMALLEST = "--epochs 1 --test-weeks 2 --ranking-windows 1 --min-buyers 1 --item-to-item item_to_item_cosine"
IMPORT_ALL = """
import importlib, os, pkgutil, sys
os.environ["TF_USE_LEGACY_KERAS"] = "1"  # as endcap's steps have it
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        if not module.name.endswith("__main__") and ".spark" not in module.name:
            importlib.import_module(module.name)
            print(sys.modules[module.name].__file__)
"""


@dataclass(frozen=True)
class Installation:
    """An environment with the wheels, and a folder that is no checkout."""

    venv: Path
    folder: Path
    environment: dict[str, str]

    def run(self, command: str) -> str:
        done = subprocess.run(
            [self.venv / "bin" / (words := shlex.split(command))[0], *words[1:]],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def installation(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheels in an empty environment; what they require comes at the tested versions."""
    folder, venv = tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, venv], check=True)
    constraint = ["--constraint", ROOT / "requirements" / "all.txt"]
    # Else uv may take a wheel of the same version from its cache.
    fresh = [f"--refresh-package={name}" for name in distributions()]
    options = ["--quiet", "--python", venv / "bin" / "python", "--find-links", wheels, *fresh, *constraint]
    subprocess.run([UV, "pip", "install", *options, *INSTALLED], cwd=folder, check=True)
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in SERVING_PORTS]
        ports = {name: str(each.getsockname()[1]) for name, each in zip(SERVING_PORTS, sockets, strict=True)}
    # Nothing of this process's environment but where programs and its user are: no PYTHONPATH, and no setting of endcap.
    environment = {"PATH": f"{venv / 'bin'}:/usr/bin:/bin", "HOME": str(Path.home()), **ports, **UNHURRIED}
    return Installation(venv, folder, environment)


@pytest.fixture(scope="module")
def trained(installation: Installation) -> Installation:
    """A bundle of a small shop, from its CSV files."""
    write_shop(installation.folder)
    installation.run("endcap import folder exports --mapping mapping.yaml")
    installation.run(f"endcap pipeline run {SMALLEST}")
    return installation


@pytest.fixture(scope="module")
def served(trained: Installation) -> Iterator[dict[str, Any]]:
    """What `endcap serve` says once all parts answer; afterwards nothing of it may be left."""
    command = [trained.venv / "bin" / "endcap", "serve", "--json"]
    with subprocess.Popen(command, cwd=trained.folder, env=trained.environment, stdout=subprocess.PIPE, text=True) as server:
        try:
            said = _document(server)
            family = psutil.Process(server.pid).children(recursive=True)
            yield said
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(timeout=120)
    _, left = psutil.wait_procs(family, timeout=30)
    assert not left


def _document(server: "subprocess.Popen[str]") -> dict[str, Any]:
    """The first JSON document that it prints."""
    said = ""
    assert server.stdout is not None
    for line in server.stdout:
        said += line
        try:
            document: dict[str, Any] = json.loads(said)
        except json.JSONDecodeError:
            continue
        return document
    raise AssertionError(f"`endcap serve` ended: {said}")


def test_every_module_imports_from_the_environment(installation: Installation) -> None:
    packages = [one.package for one in distributions().values() if one.name not in NOT_INSTALLED]
    (installation.folder / "import_all.py").write_text(IMPORT_ALL, encoding="utf-8")
    files = installation.run(f"python import_all.py {' '.join(packages)}").split()
    assert len(files) > len(packages)
    assert all(Path(file).is_relative_to(installation.venv) for file in files)


def test_what_is_not_installed_is_named_with_its_distribution(installation: Installation) -> None:
    command = [installation.venv / "bin" / "endcap", "benchmark", "quality"]
    done = subprocess.run(command, cwd=installation.folder, env=installation.environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert 'pip install "endcap-benchmarks"' in done.stderr


def test_a_shops_own_files_lead_to_an_answer(trained: Installation, served: dict[str, Any]) -> None:
    answer = json.loads(trained.run("endcap recommend --user c-1 -k 5 --json"))
    items = [row["item_id"] for row in answer["recommendations"]]
    assert len(set(items)) == 5
    assert set(items) <= {sku(item) for item in range(ITEMS)}
    assert answer["bundle"] == served["bundle"]
    assert answer["degraded"] == []


def test_all_that_was_made_lies_in_the_folder(trained: Installation, served: dict[str, Any]) -> None:
    assert {path.name for path in trained.folder.iterdir()} <= {".endcap", "exports", "mapping.yaml", "import_all.py"}


def test_hugging_faces_transformers_imports_beside_it(installation: Installation) -> None:
    constraint = ["--constraint", ROOT / "requirements" / "all.txt"]
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--python", installation.venv / "bin" / "python", *constraint, HUGGING_FACE], check=True
    )
    found = installation.run(
        "python -c 'import transformers, endcap_transformer.server.server; print(transformers.AutoTokenizer, transformers.__file__)'"
    )
    assert "transformers/__init__.py" in found
    assert "endcap" not in found
