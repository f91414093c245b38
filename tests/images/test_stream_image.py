"""The stream's image: all of it imports, and it says what is missing."""

import pytest

from images.dry_build import DryBuild
from tests.images.image_home import empty_home, give_home
from tests.images.image_run import assert_sound, run, succeed

pytestmark = pytest.mark.processes

IMAGE = "stream"
IMPORT_ALL = """
import importlib, pkgutil
import endcap_stream
names = []
for module in pkgutil.walk_packages(endcap_stream.__path__, "endcap_stream."):
    if not module.name.startswith("endcap_stream.spark") and not module.name.endswith("__main__"):
        names.append(importlib.import_module(module.name).__name__)
print(*names)
"""
OPEN_STORE = """
from endcap.core.settings import load_settings
from endcap.release.bundle.served_catalogue import ServedCatalogue
from endcap.core.clock import system_clock
import confluent_kafka, feast, psycopg, redis
print(ServedCatalogue(load_settings(), system_clock).known().len())
"""
HOME = "/var/lib/endcap"


def test_the_image_holds_its_lock_and_lets_nothing_be_changed(build: DryBuild) -> None:
    assert_sound(build, "stream")


def test_all_of_it_imports_and_it_needs_no_models(build: DryBuild) -> None:
    names = succeed(build, "python", "-c", IMPORT_ALL).split()
    assert {"endcap_stream.job", "endcap_stream.catalogue_job", "endcap_stream.session_sink"} <= set(names)
    for package in ("tensorflow", "kserve", "kfp", "pyspark"):
        assert run(build, "python", "-c", f"import {package}").returncode == 1


def test_it_opens_what_a_cluster_has(build: DryBuild) -> None:
    empty_home(build)
    (build.home / "served.json").write_text('{"version": null}')
    give_home(build)
    settings = {"ENDCAP_ROLLOUTS__SERVED_FILE": f"{HOME}/served.json", "ENDCAP_ROLLOUTS__BUNDLE_STORE": f"{HOME}/bundles"}
    assert succeed(build, "python", "-c", OPEN_STORE, ENDCAP_PROFILE="cluster", **settings).strip() == "0"


def test_without_the_key_of_dead_letters_it_says_what_is_missing(build: DryBuild) -> None:
    done = run(build, "python", "-m", "endcap_stream", ENDCAP_PROFILE="cluster")
    assert done.returncode != 0
    assert "ENDCAP_COLLECTOR__DEAD_LETTER_KEY_FILE" in done.stderr
