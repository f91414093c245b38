"""`endcap pipeline submit` on the command line: what it takes from where, and how it ends."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from endcap.core.errors import EndcapError, InvalidInput
from endcap_pipelines.commands import app
from tests.pipelines.kfp_server.server import serving
from tests.pipelines.kfp_server.state import Pipelines

CHART = Path(__file__).parents[2] / "charts" / "endcap"


@pytest.fixture
def api() -> Iterator[tuple[str, Pipelines]]:
    pipelines = Pipelines(people={"ann's": ["ann"]})
    with serving(pipelines) as address:
        yield address, pipelines
    assert pipelines.violations == []


def submit(*options: str) -> str:
    done = CliRunner().invoke(app, ["submit", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_values_give_address_namespace_and_experiment(api: tuple[str, Pipelines], tmp_path: Path) -> None:
    host, pipelines = api
    values = tmp_path / "values.yaml"
    values.write_text(
        json.dumps({"pipelines": {"host": host, "namespace": "ann", "experiment": "nightly", "parameters": {"min_gain": 0.01}}})
    )
    document = json.loads(submit("--values", str(values), "--token", "ann's", "--json"))
    assert document["run_id"] == "run-0"
    assert list(pipelines.experiments.values()) == [("nightly", "ann")]
    ((_, _, package),) = pipelines.versions.values()
    assert package.spec.root.input_definitions.parameters["min_gain"].default_value.number_value == 0.01


def test_options_win_over_values(api: tuple[str, Pipelines], tmp_path: Path) -> None:
    host, pipelines = api
    values = tmp_path / "values.yaml"
    values.write_text(json.dumps({"pipelines": {"host": "http://127.0.0.1:9", "namespace": "ben", "experiment": "nightly"}}))
    submit("--values", str(values), "--host", host, "--namespace", "ann", "--experiment", "mine", "--token", "ann's")
    assert list(pipelines.experiments.values()) == [("mine", "ann")]


def test_parameters_are_json_or_text(api: tuple[str, Pipelines]) -> None:
    host, pipelines = api
    submit(
        "--host", host, "--namespace", "ann", "--token", "ann's", "-p", "test_weeks=8", "-p", 'ranker={"epochs": 2}', "-p", "data_dir=/d=1"
    )
    assert pipelines.runs["run-0"]["runtime_config"]["parameters"] == {"test_weeks": 8, "ranker": {"epochs": 2}, "data_dir": "/d=1"}


def test_a_failing_run_that_is_waited_for_is_an_error(api: tuple[str, Pipelines]) -> None:
    host, pipelines = api
    pipelines.states = ["FAILED"]
    with pytest.raises(EndcapError, match="ended as FAILED at train-ranker"):
        submit("--host", host, "--namespace", "ann", "--token", "ann's", "--wait")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "--host: is needed"),
        (["--host", "http://127.0.0.1:9", "-p", "test_weeks"], "--parameter: must be NAME=JSON"),
        (["--host", "http://127.0.0.1:9", "--ca-cert", "missing.pem"], "--ca-cert: there is no such file"),
        (["--values", "missing.yaml"], "--values: cannot be read"),
    ],
)
def test_bad_options_are_refused_by_name(options: list[str], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KF_PIPELINES_ENDPOINT", raising=False)
    with pytest.raises(InvalidInput, match=told):
        submit(*options)


def test_a_run_with_a_parameter_that_the_pipeline_lacks_is_refused_by_the_server() -> None:
    pipelines = Pipelines()
    with serving(pipelines) as host, pytest.raises(InvalidInput, match="the pipeline has no input weeks"):
        submit("--host", host, "-p", "weeks=4")
