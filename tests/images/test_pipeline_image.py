"""The pipeline's image: every step imports, Kubeflow Pipelines' executor runs, and steps work on a dataset."""

import json

import pytest

from images.dry_build import DryBuild
from tests.endcap.features.made_shop import random_shop
from tests.images.image_home import empty_home, give_home
from tests.images.image_run import assert_sound, succeed

pytestmark = pytest.mark.processes

IMAGE = "pipeline"
IMPORT_STEPS = """
import importlib, pkgutil
import endcap_components, endcap_pipelines
names = []
for package in (endcap_components, endcap_pipelines):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        names.append(importlib.import_module(module.name).__name__)
print(*names)
"""
TRAIN = """
from endcap.training.tensorflow_setup import prepare_tensorflow
prepare_tensorflow(7)
import tensorflow as tf, tensorflow_recommenders as tfrs
print(tf.keras.Sequential([tf.keras.layers.Dense(1)])(tf.ones([1, 2])).shape)
"""


def test_the_image_holds_its_lock_and_lets_nothing_be_changed(build: DryBuild) -> None:
    assert_sound(build, "pipeline")


def test_every_step_imports(build: DryBuild) -> None:
    names = succeed(build, "python3", "-c", IMPORT_STEPS).split()
    assert {"endcap_components.train_two_tower.step", "endcap_components.deploy_bundle.step", "endcap_pipelines.training"} <= set(names)


def test_kubeflow_s_executor_is_there(build: DryBuild) -> None:
    assert "--executor_input" in succeed(build, "python3", "-m", "kfp.dsl.executor_main", "--help")


def test_tensorflow_computes(build: DryBuild) -> None:
    assert "(1, 1)" in succeed(build, "python3", "-c", TRAIN)


def test_features_are_built_and_published_from_a_dataset(build: DryBuild) -> None:
    empty_home(build)
    dataset = random_shop(build.home / "data", 3)
    (dataset / "dataset.json").write_text(json.dumps({"fingerprint": "made up"}))
    give_home(build)
    succeed(build, "endcap", "features", "--data", f"/var/lib/endcap/{dataset.relative_to(build.home)}")
    assert (build.home / "feast" / "online.db").is_file()
