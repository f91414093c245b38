"""A run as a cluster has it: each step sees its artifacts and, if it reaches stores, the stores of the values; nothing else is shared.

Steps run here, each a process with the variables of its pod: the cluster's profile, and a home of its own unless its pod mounts the shared
one. The stores are real: Redis, an SQL registry, MLflow's server, Milvus; Kubernetes is the part of its API that the last step asks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from endcap.core.ports import free_port
from endcap.core.settings import MilvusSettings, RetrievalSettings, Settings
from endcap.dataset.layout import Dataset, write_description
from endcap.features.store.online import OnlineFeatures
from endcap.release.bundle.manifest import open_bundle
from endcap.release.index.alias import aliased_collection
from endcap.release.index.connection import connect
from endcap_pipelines.local_run import run_locally
from endcap_pipelines.placement import PROFILE, Placement, StepResources
from endcap_pipelines.results import TrainingResult
from endcap_pipelines.training import training_pipeline
from tests.components.deploy_bundle.rollouts_api import RolloutsApi
from tests.components.deploy_bundle.rollouts_api import serving as serving_rollouts
from tests.debian_programs import required_program
from tests.endcap.features.store.redis_server import RedisServer
from tests.endcap.training.taste_shop import write_taste_shop
from tests.pipelines.mlflow_server import running_mlflow
from tests.shared_milvus import kept_folder, milvus_until_killed, share_unpacked_milvus

pytestmark = [pytest.mark.processes, pytest.mark.pipeline, pytest.mark.timeout(1200)]

ROOT = Path(__file__).parents[2]
SMALL = {
    "two_tower": {"epochs": 1, "dim": 16},
    "ranker": {"epochs": 1, "steps_min": 1, "hidden": [32, 16], "members": 1},
}


@dataclass(frozen=True)
class Pods(Placement):
    """Steps as processes with the variables of their pods.

    Attributes:
        apart: each step that reaches no store has its home here, and must leave it empty.
        stores: variables of the steps that reach stores.
    """

    apart: Path = Path()
    stores: Mapping[str, str] = field(default_factory=dict)

    def _placed(self, task: Any, _resources: StepResources) -> Any:
        return _told(task, {**PROFILE, "ENDCAP_HOME": str(self.apart / task.name)})

    def _reaching_stores(self, task: Any) -> Any:
        return _told(task, self.stores)


def _told(task: Any, variables: Mapping[str, str]) -> Any:
    for name, value in variables.items():
        task.set_env_variable(name, value)
    return task


@dataclass(frozen=True)
class Ran:
    """What a run left, and where."""

    folder: Path
    settings: Settings
    result: TrainingResult
    api: RolloutsApi


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pods")
    for name in ("apart", "redis", "mlflow", "here"):
        (made / name).mkdir()
    return made


@pytest.fixture(scope="module")
def dataset(folder: Path) -> Path:
    import polars as pl

    target = write_taste_shop(folder / "dataset")
    rows = {name: pl.scan_parquet(target / f"{name}.parquet").select(pl.len()).collect().item() for name in ("events", "items", "users")}
    times = pl.read_parquet(target / "events.parquet")["occurred_at"]
    write_description(Dataset(target, "made", "USD", "taste", rows, dict.fromkeys(rows, 0), times.min(), times.max()))
    return target


@pytest.fixture(scope="module")
def stores(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables of the steps that reach stores."""
    redis = RedisServer(required_program("redis-server"), folder / "redis", free_port())
    share_unpacked_milvus(folder / "milvus-home", kept_folder(tmp_path_factory))
    milvus = Settings(home=folder / "milvus-home", milvus=MilvusSettings(port=free_port()))
    redis.start()
    try:
        with milvus_until_killed(milvus) as running, running_mlflow(folder / "mlflow", free_port()) as mlflow:
            yield {
                "ENDCAP_HOME": str(folder / "shared"),
                "FEAST_REGISTRY": f"sqlite:///{folder}/registry.db",
                "FEAST_REDIS": f"127.0.0.1:{redis.port}",
                "ENDCAP_MLFLOW__TRACKING_URI": mlflow,
                "ENDCAP_MILVUS__PORT": str(running.port),
                "ENDCAP_MILVUS__MANAGED": "false",
                "ENDCAP_ROLLOUTS__TARGET": "endcap",
                "ENDCAP_ROLLOUTS__BUNDLE_STORE": str(folder / "store"),
                "ENDCAP_ROLLOUTS__STORAGE_URI": "pvc://endcap-bundles",
            }
    finally:
        redis.stop()


@pytest.fixture(scope="module")
def ran(folder: Path, dataset: Path, stores: dict[str, str]) -> Iterator[Ran]:
    api = RolloutsApi()
    quotas = RetrievalSettings(two_tower_quota=40, item_to_item_quota=30, buy_again_quota=30, popular_quota=20, candidates_max=80)
    arguments = {"data_dir": str(dataset), "min_buyers": 3, "quotas": quotas.model_dump(), **SMALL}
    with serving_rollouts(api, folder) as kubeconfig, pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        pods = Pods(apart=folder / "apart", stores={**stores, "KUBECONFIG": str(kubeconfig)})
        console = Console(stderr=True, quiet=True)
        done = run_locally(training_pipeline(pods), arguments, Settings(home=folder / "here"), console, use_cache=False)
        for name, value in {**PROFILE, **stores}.items():
            patch.setenv(name, value)
        settings = Settings()
        yield Ran(folder, settings, TrainingResult.of(done, settings), api)


def test_steps_that_reach_no_store_leave_their_home_empty(ran: Ran) -> None:
    assert list((ran.folder / "apart").iterdir()) == []


def test_it_ends_with_a_rollout_of_the_stored_bundle(ran: Ran) -> None:
    (name,) = ran.api.rollouts
    assert ran.result.summary().endswith(f"rollout {name} created; watch it: endcap rollout show {name}")
    bundle = ran.api.rollouts[name]["spec"]["bundle"]
    stored = open_bundle(ran.folder / "store" / str(bundle["version"]) / "endcap" / str(bundle["version"]))
    assert bundle["storageUri"] == f"pvc://endcap-bundles/{bundle['version']}"
    assert bundle["collection"] == stored.manifest.collection
    assert stored.manifest.dataset_fingerprint == "taste"


def test_the_bundle_is_registered_and_is_not_the_champion(ran: Ran) -> None:
    from mlflow import MlflowClient

    from endcap.release.tracking import Tracking

    (version,) = MlflowClient(ran.settings.mlflow_uri).search_model_versions("name = 'endcap'")
    assert version.source == f"pvc://endcap-bundles/{version.tags['endcap.bundle']}"
    assert Tracking(ran.settings).champion_version() is None


def test_the_index_is_there_and_the_alias_does_not_point_at_it(ran: Ran) -> None:
    client = connect(ran.settings.milvus)
    (bundle,) = (rollout["spec"]["bundle"] for rollout in ran.api.rollouts.values())
    assert client.has_collection(bundle["collection"])
    assert aliased_collection(client, ran.settings.milvus.collection_prefix) is None
    client.close()


def test_the_online_store_answers_for_a_person(ran: Ran) -> None:
    row = OnlineFeatures.open(ran.settings).read("u001", None)
    assert row is not None
    assert row["user"]["history_item_ids"]
