"""Runs, registered bundles and the champion in a real MLflow on SQLite."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from endcap.contracts.evaluation import Evaluation
from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import MlflowSettings, Settings
from endcap.release.bundle.manifest import Bundle
from endcap.release.tracking import Tracking

pytestmark = pytest.mark.usefixtures("migrated_mlflow")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(home=tmp_path_factory.mktemp("home"))


def written(evaluation: Evaluation, folder: Path) -> Path:
    path = folder / "evaluation.json"
    path.write_text(evaluation.model_dump_json())
    return path


def test_a_run_is_recorded_once_with_metrics_parameters_and_documents(
    settings: Settings, make_evaluation: Callable[..., Evaluation], tmp_path: Path
) -> None:
    tracking = Tracking(settings)
    file = written(make_evaluation(ndcg=0.5), tmp_path)
    run_id = tracking.record_run(file, {"two_tower.dim": 64}, {"dataset": "f"})
    assert tracking.record_run(file, {"two_tower.dim": 64}, {"dataset": "f"}) == run_id
    other = written(make_evaluation(ndcg=0.6), tmp_path)
    assert tracking.record_run(other, {}, {}) != run_id
    import mlflow

    run = mlflow.MlflowClient(settings.mlflow_uri).get_run(run_id)
    assert run.data.metrics["full/ndcg_at_10"] == 0.5
    assert run.data.params["two_tower.dim"] == "64"
    assert run.info.status == "FINISHED"


def test_the_champion_moves_forward_and_back_with_the_address_of_its_bundle(
    settings: Settings, make_bundle: Callable[..., Bundle], make_evaluation: Callable[..., Evaluation], tmp_path: Path
) -> None:
    tracking = Tracking(settings)
    assert tracking.champion() is None
    assert tracking.champion_version() is None
    bundles = []
    for version, ndcg in ((1, 0.41), (2, 0.43)):
        run_id = tracking.record_run(written(make_evaluation(ndcg=ndcg), tmp_path), {}, {})
        bundles.append(make_bundle(version, run_id=run_id))
    for bundle in (*bundles, bundles[0]):
        tracking.make_champion(bundle.manifest, bundle.path)
        champion = tracking.champion()
        assert champion is not None
        assert champion.bundle_version == bundle.manifest.version == tracking.champion_version()
        assert champion.source == bundle.path.absolute().as_uri()
    assert tracking.register(bundles[0].manifest, bundles[0].path) == tracking.register(bundles[0].manifest, bundles[0].path)


@dataclass(frozen=True)
class Crowned:
    """A registry with a champion, bundle 3, and the run that made it."""

    settings: Settings
    tracking: Tracking
    run_id: str


@pytest.fixture
def crowned(make_bundle: Callable[..., Bundle], make_evaluation: Callable[..., Evaluation], tmp_path: Path) -> Crowned:
    settings = Settings(home=tmp_path / "home")
    tracking = Tracking(settings)
    run_id = tracking.record_run(written(make_evaluation(), tmp_path), {}, {})
    bundle = make_bundle(3, run_id=run_id)
    tracking.make_champion(bundle.manifest, bundle.path)
    return Crowned(settings, tracking, run_id)


def test_a_champion_whose_run_was_deleted_is_still_the_champion(crowned: Crowned) -> None:
    import mlflow

    mlflow.MlflowClient(crowned.settings.mlflow_uri).delete_run(crowned.run_id)
    champion = crowned.tracking.champion()
    assert champion is not None
    assert champion.bundle_version == 3 and champion.source.startswith("file:///")


def test_a_registry_that_stops_answering_is_an_error_and_no_missing_champion(crowned: Crowned) -> None:
    with sqlite3.connect(crowned.settings.home / "mlflow.db") as database:
        database.execute("ALTER TABLE registered_models RENAME TO away")
    for ask in (crowned.tracking.champion, crowned.tracking.champion_version):
        with pytest.raises(DependencyUnavailable, match="MLflow does not answer"):
            ask()


def test_a_store_that_cannot_be_opened_is_a_clear_error(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, mlflow=MlflowSettings(tracking_uri="nonsense://nowhere"))
    with pytest.raises(DependencyUnavailable, match="MLflow"):
        Tracking(settings)


def test_a_model_that_is_registered_already_gets_another_version(crowned: Crowned, make_bundle: Callable[..., Bundle]) -> None:
    bundle = make_bundle(4)
    assert crowned.tracking.register(bundle.manifest, bundle.path) == "2"


def test_a_model_that_cannot_be_registered_is_not_taken_for_one_that_is_there(
    crowned: Crowned, make_bundle: Callable[..., Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowException

    def refused(_name: str) -> None:
        raise MlflowException("no right to create models")

    bundle = make_bundle(4)
    monkeypatch.setattr(crowned.tracking._client, "create_registered_model", refused)
    with pytest.raises(MlflowException, match="no right to create models"):
        crowned.tracking.register(bundle.manifest, bundle.path)
