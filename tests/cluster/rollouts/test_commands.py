"""`endcap rollout` and the pipeline's `create_rollout` against the live API server and operator."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from endcap.cli.rollouts import app
from endcap.contracts.rollout import Phase, RolloutBundle
from endcap.core.errors import BundleRefused, InvalidInput
from endcap.core.settings import RolloutSettings, Settings
from endcap.release.rollout.client import create_rollout
from tests.cluster.rollouts.scene import CANDIDATE_COLLECTION, Scene
from tests.cluster.rollouts.targets import BUNDLES, storage_uri

DEFAULTS = """
steps:
  - {setWeight: 20, pause: {duration: 10m}}
analysis:
  interval: 1s
  guardrails:
    - {name: error-rate, builtIn: errorRate, limit: 0.01}
"""


@pytest.fixture
def target(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A target that the settings name."""
    name = scene.make_target(stem="commands")
    defaults = tmp_path / "rollouts.yaml"
    defaults.write_text(DEFAULTS)
    environment = {
        "COLUMNS": "200",
        "KUBECONFIG": str(scene.cluster.kubeconfig),
        "ENDCAP_ROLLOUTS__NAMESPACE": scene.namespace,
        "ENDCAP_ROLLOUTS__TARGET": name,
        "ENDCAP_ROLLOUTS__STORAGE_URI": BUNDLES,
        "ENDCAP_ROLLOUTS__DEFAULTS_FILE": str(defaults),
    }
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    return name


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_a_rollout_is_started_shown_steered_and_ended_by_commands(scene: Scene, target: str) -> None:
    version = scene.version()
    started = json.loads(run("start", str(version), "--collection", CANDIDATE_COLLECTION, "--json"))
    name = started["rollout"]
    assert (name, started["bundle"]["storage_uri"]) == (f"{target}-{version}", storage_uri(version))
    scene.until_at_step(name, 0)
    run("pause", name)
    scene.until(name, "paused", phase=Phase.PAUSED)
    shown = run("show", str(version))
    assert "Paused" in shown and "error-rate" in shown and "at most 0.01" in shown and "1/2" in shown
    assert name in {each["name"] for each in json.loads(run("list", "--json"))}
    assert json.loads(run("show", name, "--json"))["status"]["current_weight"] == 20
    assert json.loads(run("resume", name, "--json")) == {"rollout": name, "asked": "resume"}
    scene.until(name, "goes on", phase=Phase.PROGRESSING)
    run("abort", name)
    with pytest.raises(BundleRefused, match="aborted by a person"):
        run("watch", name)
    with pytest.raises(InvalidInput, match="has ended"):
        run("promote", name)
    again = json.loads(run("start", str(version), "--collection", CANDIDATE_COLLECTION, "--again", "--json"))
    assert again["rollout"] == f"{name}-2"
    scene.ask(again["rollout"], "abort")


def test_the_pipeline_creates_one_rollout_of_a_bundle_however_often_it_deploys(scene: Scene, target: str) -> None:
    version = scene.version()
    bundle = RolloutBundle(version=version, storage_uri=storage_uri(version), collection=CANDIDATE_COLLECTION)
    settings = Settings(rollouts=RolloutSettings(target=target, namespace=scene.namespace))
    names = {create_rollout(settings, bundle) for _ in range(3)}
    assert names == {f"{target}-{version}"}
    scene.ask(names.pop(), "abort")
