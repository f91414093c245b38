"""The rollout operator's image: it starts, and holds what it needs and no more."""

import pytest

from images.dry_build import DryBuild
from tests.images.image_run import assert_sound, run, succeed

pytestmark = pytest.mark.processes

IMAGE = "rollout-operator"
IMPORT_ALL = """
import importlib, pkgutil
import endcap.release.rollout, endcap_rollout_operator
names = []
for package in (endcap.release.rollout, endcap_rollout_operator):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            names.append(importlib.import_module(module.name).__name__)
print(*names)
"""


def test_the_image_holds_its_lock_and_lets_nothing_be_changed(build: DryBuild) -> None:
    assert_sound(build, "rollout-operator")


def test_all_of_it_imports(build: DryBuild) -> None:
    names = succeed(build, "python", "-c", IMPORT_ALL).split()
    assert {"endcap_rollout_operator.handlers", "endcap_rollout_operator.state.decision"} <= set(names)


def test_without_a_cluster_it_says_so(build: DryBuild) -> None:
    done = run(build, "python", "-m", "endcap_rollout_operator")
    assert (done.returncode, done.stdout) == (5, "")
    assert "no cluster to talk to" in done.stderr


def test_it_needs_neither_models_nor_features(build: DryBuild) -> None:
    for package in ("tensorflow", "feast", "kserve", "kfp"):
        assert run(build, "python", "-c", f"import {package}").returncode == 1
    assert "endcap" in succeed(build, "endcap", "rollout", "--help")
