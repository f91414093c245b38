"""Through `kfp.local`, with the real gate: a refused run is recorded, and nothing behind the gate happens."""

import sqlite3
from pathlib import Path
from typing import Any

import mlflow
import polars as pl
import pytest
from kfp import dsl
from rich.console import Console

from endcap.contracts.evaluation import ALL, Evaluation, Figure, TruthFigures
from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import Settings
from endcap.evaluation.gate import GateLimits
from endcap.release.bundle.release_record import ReleaseRecord, write_release
from endcap.release.tracking import Tracking
from endcap_components.evaluate.report import DECISION_PLACE
from endcap_components.gate.component import gate
from endcap_components.gate.step import GateInputs, gate_step
from endcap_pipelines.local_run import LocalRun, run_locally

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("migrated_mlflow", "quick_kfp")]


@dsl.component(base_image="python", packages_to_install=[], install_kfp_package=False)
def made_evaluation(
    document: str,
    training: dsl.Output[dsl.Dataset],
    tables: dsl.Output[dsl.Dataset],
    evaluation: dsl.Output[dsl.Dataset],
    report: dsl.Output[dsl.HTML],
) -> None:
    from pathlib import Path

    import polars as pl

    for folder in (training.path, tables.path):
        Path(folder).mkdir(parents=True)
    Path(evaluation.path).mkdir(parents=True)
    (Path(evaluation.path) / "evaluation.json").write_text(document)
    people = {"user_id": ["u1", "u2"], "model": ["full"] * 2, "truth": ["all"] * 2, "ndcg@10": [0.5, 0.4]}
    pl.DataFrame(people).write_parquet(Path(evaluation.path) / "per_user.parquet")
    Path(report.path).write_text("<p>report</p>")


@dsl.component(base_image="python", packages_to_install=[], install_kfp_package=False)
def deploy(to: str, run_id: str) -> None:
    from pathlib import Path

    Path(to).write_text(run_id)


@dsl.pipeline(name="gated")
def gated(document: str, to: str, accept_uncompared: bool = False) -> None:
    made = made_evaluation(document=document)
    decided = gate(
        training=made.outputs["training"],
        tables=made.outputs["tables"],
        evaluation=made.outputs["evaluation"],
        report=made.outputs["report"],
        two_tower_parameters={"dim": 8},
        ranker_parameters={},
        distil_parameters={},
        item_to_item_parameters={},
        ease_parameters={},
        precision="float32",
        min_gain=-0.005,
        accept_uncompared=accept_uncompared,
    ).set_caching_options(False)
    with dsl.If(decided.outputs["Output"] == True):  # noqa: E712 - compiled into a condition
        deploy(to=to, run_id=decided.outputs["run_id"]).set_caching_options(False)


def document(ndcg: float) -> str:
    def figure(mean: float) -> Figure:
        return Figure(mean=mean, low=mean, high=mean)

    models = {"own_most_bought": {"ndcg@10": figure(0.4)}, "full": {"ndcg@10": figure(ndcg)}}
    truth = TruthFigures(users=9, items_per_user=3, models=models, differences={}, segments={})
    moment = "2017-12-04T00:00:00Z"
    evaluation = {
        "dataset_fingerprint": "f",
        "data_start": moment,
        "data_end": moment,
        "cut": moment,
        "horizon_days": 28,
        "min_buyers": 5,
        "eligible_items": 9,
        "candidates_max": 9,
        "baselines": {ALL: "own_most_bought"},
        "truths": {ALL: truth.model_dump()},
        "reliability": {},
    }
    return Evaluation.model_validate(evaluation).model_dump_json()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    return tmp_path


def run(home: Path, ndcg: float, *, accept_uncompared: bool = False) -> LocalRun:
    arguments: dict[str, Any] = {"document": document(ndcg), "to": str(home / "deployed"), "accept_uncompared": accept_uncompared}
    return run_locally(gated, arguments, Settings(home=home), Console(stderr=True, quiet=True))


def recorded(home: Path) -> dict[str, str]:
    """What the newest run's tags say."""
    client = mlflow.MlflowClient(Settings(home=home).mlflow_uri)
    newest, *_ = client.search_runs([client.get_experiment_by_name("endcap").experiment_id])
    return dict(newest.data.tags)


def test_an_accepted_bundle_passes_the_gate(home: Path) -> None:
    done = run(home, 0.41)
    assert [step.name for step in done.steps] == ["made-evaluation", "gate", "deploy"]
    assert (home / "deployed").exists()
    assert recorded(home)["accepted"] == "true"
    assert "no champion yet" in recorded(home)["reason"]


def champion_that_is_gone(settings: Settings) -> None:
    """A champion whose bundle nobody has any more."""
    Tracking(settings)
    client = mlflow.MlflowClient(settings.mlflow_uri)
    client.create_registered_model(settings.mlflow.registered_model)
    made = client.create_model_version(settings.mlflow.registered_model, "file:///bundle", tags={"endcap.bundle": "7"})
    client.set_registered_model_alias(settings.mlflow.registered_model, "champion", made.version)


def test_a_champion_that_is_gone_is_no_free_pass(home: Path) -> None:
    champion_that_is_gone(Settings(home=home))
    refused = run(home, 0.41)
    assert [step.name for step in refused.steps] == ["made-evaluation", "gate"]
    assert not (home / "deployed").exists()
    assert recorded(home)["accepted"] == "false"
    assert "bundle 7" in recorded(home)["reason"] and "--accept-uncompared" in recorded(home)["reason"]
    accepted = run(home, 0.42, accept_uncompared=True)
    assert "deploy" in [step.name for step in accepted.steps]


def run_of(folder: Path, page: str) -> GateInputs:
    """What a run left, as far as the gate reads it without a champion to make lists with."""
    (folder / "evaluation").mkdir()
    (folder / "evaluation" / "evaluation.json").write_text(document(0.45))
    people = {"user_id": ["u1", "u2"], "model": ["full"] * 2, "truth": ["all"] * 2, "ndcg@10": [0.5, 0.4]}
    pl.DataFrame(people).write_parquet(folder / "evaluation" / "per_user.parquet")
    (folder / "report.html").write_text(page)
    return GateInputs(folder / "training", folder / "tables", folder / "evaluation", folder / "report.html")


def test_the_report_and_the_run_say_what_was_accepted_uncompared(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    champion_that_is_gone(settings)
    inputs = run_of(tmp_path, f"<main><h1>Evaluation</h1>{DECISION_PLACE}<p>figures</p></main>")
    limits = GateLimits(accept_uncompared=True)
    result = gate_step(inputs, {}, limits, settings, judged_report=tmp_path / "judged.html")
    page = (tmp_path / "judged.html").read_text()
    assert page.index("Gate: accepted") < page.index("<p>figures</p>")
    assert "NOT COMPARED" in page and "bundle 7" in page
    assert result.decision.uncompared


def test_a_registry_that_does_not_answer_fails_the_gate(tmp_path: Path) -> None:
    inputs = run_of(tmp_path, "<p>report</p>")
    settings = Settings(home=tmp_path / "home")
    Tracking(settings)
    with sqlite3.connect(settings.home / "mlflow.db") as database:
        database.execute("ALTER TABLE registered_models RENAME TO away")
    with pytest.raises(DependencyUnavailable, match="MLflow does not answer"):
        gate_step(inputs, {}, GateLimits(), settings, judged_report=tmp_path / "judged.html")


def test_the_served_bundles_own_evaluation_is_accepted_under_its_own_run(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    inputs = run_of(tmp_path, "<p>report</p>")
    metrics = Evaluation.model_validate_json(document(0.45)).flat()
    record = ReleaseRecord(version=3, collection="endcap_3", run_id="run-3", dataset_fingerprint="f", metrics=metrics)
    (settings.served_dir / "endcap" / "3").mkdir(parents=True)
    write_release(settings.served_dir, record)
    again = gate_step(inputs, {}, GateLimits(), settings, judged_report=tmp_path / "judged.html")
    assert (again.decision.accepted, again.run_id) == (True, "run-3")
    assert not (settings.home / "mlflow.db").exists()
    raised = gate_step(inputs, {}, GateLimits(min_gain=0.2), settings, judged_report=tmp_path / "judged.html")
    assert not raised.decision.accepted
