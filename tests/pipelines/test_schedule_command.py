"""`endcap pipeline schedule`, `unschedule` and a submission of what is installed, as the chart's pods call them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from endcap.core.errors import DependencyUnavailable, InvalidInput
from endcap_pipelines.commands import app
from endcap_pipelines.server import Server
from endcap_pipelines.training import PIPELINE_NAME
from tests.pipelines.kfp_server.server import serving
from tests.pipelines.kfp_server.state import Pipelines
from tests.pipelines.test_submitting import submitted


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Pipelines]]:
    """A server of many users, and the token of the pod that asks."""
    pipelines = Pipelines(people={"pod's": ["shop"]})
    (tmp_path / "token").write_text("pod's\n")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(tmp_path / "token"))
    with serving(pipelines) as address:
        submitted(Server(address, "shop", "pod's"))
        yield address, pipelines
    assert pipelines.violations == []


def call(*options: str) -> str:
    done = CliRunner().invoke(app, list(options), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_schedule_says_what_it_made_kept_and_removed(api: tuple[str, Pipelines]) -> None:
    host, pipelines = api
    version = pipelines.versions["version-0"][0]
    options = ("schedule", PIPELINE_NAME, "--host", host, "--namespace", "shop", "--version", version)
    told = f"recurring run recurring-0 of {PIPELINE_NAME} {version} at 0 0 3 * * *\n"
    assert call(*options, "--cron", "0 3 * * *") == f"made {told}"
    assert call(*options, "--cron", "0 3 * * *") == f"kept {told}"
    assert call(*options, "--cron", "0 5 * * *").endswith("at 0 0 5 * * *, removed 1 older\n")


def test_values_give_a_schedule_its_time_experiment_and_parameters(api: tuple[str, Pipelines], tmp_path: Path) -> None:
    host, pipelines = api
    schedule = {"cron": "1 2 * * *", "parameters": {"test_weeks": 6}}
    values = tmp_path / "values.yaml"
    values.write_text(json.dumps({"pipelines": {"host": host, "namespace": "shop", "experiment": "nightly", "schedule": schedule}}))
    document = json.loads(call("schedule", PIPELINE_NAME, "--values", str(values), "-p", 'ranker={"epochs": 2}', "--json"))
    body = pipelines.recurring[document["recurring_run_id"]]
    assert document["cron"] == body["trigger"]["cron_schedule"]["cron"] == "0 1 2 * * *"
    assert body["runtime_config"]["parameters"] == {"test_weeks": 6, "ranker": {"epochs": 2}}
    assert pipelines.experiments[body["experiment_id"]] == ("nightly", "shop")


def test_unschedule_removes_it(api: tuple[str, Pipelines]) -> None:
    host, pipelines = api
    call("schedule", PIPELINE_NAME, "--host", host, "--namespace", "shop")
    removed = ("unschedule", PIPELINE_NAME, "--host", host, "--namespace", "shop")
    assert call(*removed) == f"removed 1 recurring runs of {PIPELINE_NAME}\n"
    assert json.loads(call(*removed, "--json")) == {"removed": []}
    assert pipelines.recurring == {}


def test_a_server_that_is_gone_does_not_keep_a_release_from_going() -> None:
    with pytest.raises(DependencyUnavailable, match=r"127\.0\.0\.1:9.*helm uninstall --no-hooks"):
        call("unschedule", PIPELINE_NAME, "--host", "http://127.0.0.1:9")


def test_what_is_installed_is_submitted_without_an_upload(api: tuple[str, Pipelines]) -> None:
    host, pipelines = api
    options = ("--host", host, "--namespace", "shop", "--experiment", "nightly", "--service-account", "endcap-pipeline", "--timeout", "0")
    document = json.loads(call("submit", "--installed", PIPELINE_NAME, *options, "-p", "test_weeks=8", "--wait", "--json"))
    run = pipelines.runs[document["run_id"]]
    assert run["pipeline_version_reference"]["pipeline_version_id"] == "version-0"
    assert (run["service_account"], run["runtime_config"]["parameters"]) == ("endcap-pipeline", {"test_weeks": 8})
    assert len(pipelines.named("upload_pipeline_version")) == 1


@pytest.mark.parametrize("command", ["schedule", "unschedule"])
def test_an_address_is_needed(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KF_PIPELINES_ENDPOINT", raising=False)
    with pytest.raises(InvalidInput, match="--host: is needed"):
        call(command, PIPELINE_NAME)
