"""One step, two ways: promoted at once, or handed to the rollout operator with nothing moved."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from endcap.core.errors import EndcapError, InvalidInput
from endcap.core.settings import MilvusSettings, RolloutSettings, Settings, load_settings
from endcap.release.bundle.deployment_record import Deployment, read_deployment
from endcap.release.bundle.manifest import Bundle, open_bundle
from endcap.release.bundle.promotion import served_version
from endcap.release.index.alias import aliased_collection
from endcap.release.tracking import Tracking
from endcap_components.deploy_bundle.step import deploy_bundle_step
from tests.components.deploy_bundle.rollouts_api import RolloutsApi, serving

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("migrated_mlflow")]

ROOT = Path(__file__).parents[3]
MakeBundle = Callable[..., Bundle]
STEP = """
import sys
from pathlib import Path
from endcap_components.deploy_bundle.step import deploy_bundle_step
from endcap.core.settings import load_settings
print(deploy_bundle_step(Path(sys.argv[1]), load_settings()).message())
"""


@dataclass(frozen=True)
class Cluster:
    """A pod of the step: its API server, and the variables it gets. No Milvus answers there: nothing may ask it."""

    api: RolloutsApi
    home: Path
    environment: dict[str, str]

    def deploy(self, bundle: Bundle) -> "subprocess.CompletedProcess[str]":
        """Run the step in a process of its own."""
        command = [sys.executable, "-c", STEP, str(bundle.path)]
        return subprocess.run(command, cwd=ROOT, env={**os.environ, **self.environment}, capture_output=True, text=True, check=False)

    def deploy_here(self, bundle: Bundle) -> str:
        """Run the step in this process; what it says."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return deploy_bundle_step(bundle.path, load_settings()).message()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    api = RolloutsApi()
    with serving(api, tmp_path) as kubeconfig:
        environment = {
            "KUBECONFIG": str(kubeconfig),
            "ENDCAP_HOME": str(tmp_path / "home"),
            "ENDCAP_MILVUS__PORT": "1",
            "ENDCAP_MILVUS__MANAGED": "false",
            "ENDCAP_ROLLOUTS__TARGET": "endcap",
            "ENDCAP_ROLLOUTS__BUNDLE_STORE": str(tmp_path / "store"),
            "ENDCAP_ROLLOUTS__STORAGE_URI": "pvc://endcap-bundles",
        }
        yield Cluster(api, tmp_path / "home", environment)


def test_on_a_cluster_the_bundle_is_stored_registered_and_a_rollout_of_it_created(
    cluster: Cluster, make_bundle: MakeBundle, tmp_path: Path
) -> None:
    bundle = make_bundle(7, run_id=None)
    done = cluster.deploy(bundle)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "rollout endcap-7 created; watch it: endcap rollout show endcap-7"
    assert open_bundle(tmp_path / "store" / "7" / "endcap" / "7").manifest == bundle.manifest
    (rollout,) = cluster.api.rollouts.values()
    assert rollout["spec"]["target"] == "endcap"
    assert rollout["spec"]["bundle"] == {"version": 7, "storageUri": "pvc://endcap-bundles/7", "collection": bundle.manifest.collection}
    assert read_deployment(cluster.home) == Deployment(version=7, rollout="endcap-7")


def test_on_a_cluster_neither_champion_nor_served_version_moves(cluster: Cluster, make_bundle: MakeBundle) -> None:
    import mlflow

    settings = Settings(home=cluster.home)
    champion = make_bundle(6)
    Tracking(settings).make_champion(champion.manifest, champion.path)
    cluster.deploy_here(make_bundle(7))
    assert Tracking(settings).champion_version() == 6
    assert served_version(settings.served_dir) is None
    versions = mlflow.MlflowClient(settings.mlflow_uri).search_model_versions("name = 'endcap'")
    assert {version.tags["endcap.bundle"]: version.source for version in versions}["7"] == "pvc://endcap-bundles/7"


def test_a_step_that_runs_again_finds_what_it_did(cluster: Cluster, make_bundle: MakeBundle) -> None:
    bundle = make_bundle(7)
    told = [cluster.deploy_here(bundle) for _ in range(2)]
    assert told == 2 * ["rollout endcap-7 created; watch it: endcap rollout show endcap-7"]
    assert list(cluster.api.rollouts) == ["endcap-7"]


def test_without_the_right_to_create_a_rollout_the_step_says_so(cluster: Cluster, make_bundle: MakeBundle) -> None:
    cluster.api.forbidden = True
    with pytest.raises(EndcapError, match=r"rollouts\.endcap\.dev is forbidden"):
        cluster.deploy_here(make_bundle(7))
    assert read_deployment(cluster.home) is None


def test_a_rollout_without_a_store_is_refused_before_anything_is_done(make_bundle: MakeBundle, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", rollouts=RolloutSettings(target="endcap"))
    with pytest.raises(InvalidInput, match="ENDCAP_ROLLOUTS__BUNDLE_STORE"):
        deploy_bundle_step(make_bundle(7).path, settings)
    assert not (tmp_path / "home").exists()


def test_without_a_target_the_bundle_is_served_at_once(
    make_bundle: MakeBundle, milvus: MilvusSettings, client: Any, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "home", milvus=milvus.model_copy(update={"collection_prefix": "deployed"}))
    bundle = make_bundle(7, prefix="deployed")
    for _ in range(2):
        assert deploy_bundle_step(bundle.path, settings) == Deployment(version=7)
        assert served_version(settings.served_dir) == Tracking(settings).champion_version() == 7
        assert aliased_collection(client, "deployed") == bundle.manifest.collection
    assert read_deployment(settings.home) == Deployment(version=7)
