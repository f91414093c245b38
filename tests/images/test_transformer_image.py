"""The transformer's image: it starts, says what it lacks, and serves beside a real Milvus and model server."""

from pathlib import Path

import pytest

from images.dry_build import UID, DryBuild
from tests.images.image_run import assert_sound, run, succeed
from tests.images.served_transformer import served_transformer
from tests.images.test_transformer_imports import IMPORT_ALL
from tests.shared_milvus import kept_folder

pytestmark = pytest.mark.processes

IMAGE = "transformer"
CLUSTER_STORE = (
    "from endcap.core.settings import load_settings; from endcap.features.store.online import OnlineFeatures as o; o.open(load_settings())"
)


def test_the_image_holds_its_lock_and_lets_nothing_be_changed(build: DryBuild) -> None:
    assert_sound(build, "transformer")


def test_it_says_how_it_is_started(build: DryBuild) -> None:
    assert "--wait-seconds" in succeed(build, "python", "-m", "endcap_transformer", "--help")


def test_all_of_it_imports_and_there_is_no_tensorflow_to_import(build: DryBuild) -> None:
    succeed(build, "python", "-c", IMPORT_ALL)
    assert run(build, "python", "-c", "import tensorflow").returncode != 0


def test_without_a_bundle_it_ends_as_it_says(build: DryBuild) -> None:
    done = run(build, "python", "-m", "endcap_transformer", "--wait-seconds", "1")
    assert done.returncode == 4, done.stderr
    assert "bundle" in done.stderr


def test_the_cluster_s_feature_store_opens_with_what_is_installed(build: DryBuild) -> None:
    variables = {"FEAST_REGISTRY": "sqlite:////tmp/registry.db", "FEAST_REDIS": "127.0.0.1:1", "ENDCAP_PROFILE": "cluster"}
    done = run(build, "python", "-c", CLUSTER_STORE, **variables)
    assert "the feature service is not registered" in done.stderr


def test_it_serves_with_every_stage_as_its_user_and_ends_in_order(build: DryBuild, tmp_path_factory: pytest.TempPathFactory) -> None:
    with served_transformer(build, kept_folder(tmp_path_factory)) as (deployment, process):
        assert Path(f"/proc/{process}").stat().st_uid == UID
        (answer,) = deployment.predict({"user_id": "U3"})
        assert answer["recommendations"]
        assert answer["degraded"] == []
