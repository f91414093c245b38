import shutil

import pytest

from endcap.core.errors import DataRejected, DependencyUnavailable, InvalidInput
from endcap.core.settings import Settings
from endcap.features.manifest import read_manifest
from endcap.features.store.config import store_config, write_store_config
from endcap.features.store.open import apply_repo
from endcap.features.store.publish import publish_features


def test_publishing_the_same_features_again_copies_nothing(filled):
    before = (filled.settings.features_dir / "user_features.parquet").stat().st_mtime_ns
    assert publish_features(filled.features, filled.settings) == filled.manifest.fingerprint
    assert (filled.settings.features_dir / "user_features.parquet").stat().st_mtime_ns == before


def test_a_folder_without_a_table_is_refused_and_the_old_tables_stay(filled, tmp_path):
    broken = tmp_path / "features"
    shutil.copytree(filled.features, broken)
    (broken / "item_features.parquet").unlink()
    manifest = filled.manifest.model_copy(update={"fingerprint": "other"})
    manifest.write(broken)
    with pytest.raises(DataRejected, match="item_features"):
        publish_features(broken, filled.settings)
    assert (filled.settings.features_dir / "item_features.parquet").exists()
    assert [path.name for path in filled.settings.home.iterdir() if path.name.startswith(".features")] == []


def test_a_folder_without_a_manifest_is_refused(filled, tmp_path):
    with pytest.raises(DataRejected, match=r"features\.json"):
        publish_features(tmp_path, filled.settings)


def test_the_configuration_keeps_everything_local_under_home(filled):
    config = store_config(filled.settings)
    home = str(filled.settings.home)
    assert config["registry"]["path"].startswith(home)
    assert config["online_store"]["path"].startswith(home)
    assert write_store_config(filled.settings).parent == filled.settings.feast_dir


def test_the_cluster_profile_takes_its_addresses_from_the_environment(filled, monkeypatch):
    for name, value in {"FEAST_REDIS": "redis:6379", "FEAST_REGISTRY": "postgresql://registry/feast"}.items():
        monkeypatch.setenv(name, value)
    config = store_config(filled.settings.model_copy(update={"profile": "cluster"}))
    assert config["online_store"] == {"type": "redis", "connection_string": "redis:6379"}
    assert config["registry"]["path"] == "postgresql://registry/feast"


def test_a_missing_feature_repository_is_an_error_with_a_fix(tmp_path):
    with pytest.raises(InvalidInput, match="ENDCAP_FEATURE_REPO_DIR"):
        store_config(Settings(home=tmp_path, feature_repo_dir=tmp_path / "none"))


def test_feasts_refusal_is_told_in_one_line(filled, tmp_path):
    repo = tmp_path / "repo"
    repo.mkdir()
    shutil.copyfile(filled.settings.feature_repo_dir / "feature_store.yaml", repo / "feature_store.yaml")
    (repo / "definitions.py").write_text("raise RuntimeError('broken definitions')")
    with pytest.raises(DependencyUnavailable, match="broken definitions") as refused:
        apply_repo(Settings(home=tmp_path / "home", feature_repo_dir=repo))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [None, "{"], ids=["missing", "damaged"])
def test_published_tables_whose_manifest_is_missing_or_damaged_are_copied_again(filled, content):
    published = filled.settings.features_dir / "features.json"
    published.unlink()
    if content is not None:
        published.write_text(content)
    assert publish_features(filled.features, filled.settings) == filled.manifest.fingerprint
    assert read_manifest(filled.settings.features_dir) == filled.manifest
