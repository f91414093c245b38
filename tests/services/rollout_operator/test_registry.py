"""MLflow's champion, on a real registry in SQLite."""

from pathlib import Path

import pytest

from endcap.core.errors import InvalidInput
from endcap.core.settings import MlflowSettings, Settings
from endcap.release.tracking import BUNDLE_TAG, quiet_mlflow
from endcap_rollout_operator.registry import Registry

pytestmark = pytest.mark.usefixtures("migrated_mlflow")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """Bundles 11 and 12 are registered."""
    quiet_mlflow()
    import mlflow

    folder: Path = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    client = mlflow.MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.create_registered_model("endcap")
    for version in (11, 12):
        client.create_model_version("endcap", source=f"s3://bundles/{version}", tags={BUNDLE_TAG: str(version)})
    return Registry(Settings(home=folder, mlflow=MlflowSettings(tracking_uri=uri)))


def test_the_champion_follows_the_bundle(registry: Registry) -> None:
    assert registry.is_there and registry.champion() is None
    for version in (12, 11, 11):
        registry.make_champion(version)
        assert registry.champion() == version


def test_a_bundle_that_was_not_registered_cannot_be_champion(registry: Registry) -> None:
    registry.make_champion(12)
    with pytest.raises(InvalidInput, match="no version of the model"):
        registry.make_champion(99)
    assert registry.champion() == 12


def test_without_an_address_there_is_no_registry() -> None:
    assert not Registry(Settings()).is_there
