"""What goes through Kafka can be chosen, and where Java, jars or Spark are missing the rows say so."""

import io
from contextlib import ExitStack
from pathlib import Path

import pytest
from rich.console import Console

from endcap.core.settings import Settings
from endcap_benchmarks.events import through_kafka as measured
from endcap_benchmarks.events.options import parse
from endcap_benchmarks.events.report import print_report, verdicts

KAFKA = ("collector-kafka", "freshness", "spark")


def runs_of(home: Path, *scenarios: str) -> dict[str, object]:
    with ExitStack() as stack:
        return dict(measured.through_kafka(Settings(home=home), parse(["--scenarios", *scenarios]), stack))


def test_nothing_is_started_for_other_scenarios(tmp_path: Path) -> None:
    assert runs_of(tmp_path, "collector", "stream") == {}


def test_each_trigger_and_each_number_of_cores_has_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "broker_jars", lambda: (tmp_path, ""))
    monkeypatch.setattr(measured, "connector_jars", lambda: (tmp_path, ""))
    monkeypatch.setattr(measured, "SPARK_PYTHON", tmp_path / "none")
    assert len(runs_of(tmp_path, *KAFKA)) == 2 + 2 * 4 + 2
    assert list(runs_of(tmp_path, "spark")) == ["stream on Spark, local[1]", "stream on Spark, local[2]"]


def rows_without(home: Path, *scenarios: str) -> list[dict]:
    with ExitStack() as stack:
        return [run() for run in measured.through_kafka(Settings(home=home), parse(["--scenarios", *scenarios]), stack).values()]


def test_without_java_each_row_says_so_and_no_goal_is_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "broker_jars", lambda: (None, "no Java"))
    monkeypatch.setattr(measured, "connector_jars", lambda: (None, "no Java"))
    rows = rows_without(tmp_path, *KAFKA)
    assert [row["not_run"] for row in rows] == ["no Java"] * 12
    assert verdicts(rows) == []
    screen = io.StringIO()
    print_report(Console(file=screen, width=140), rows, [])
    assert screen.getvalue().count("no Java") == 12


def test_without_sparks_environment_its_rows_say_how_to_make_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "broker_jars", lambda: (tmp_path, ""))
    monkeypatch.setattr(measured, "connector_jars", lambda: (tmp_path, ""))
    monkeypatch.setattr(measured, "SPARK_PYTHON", tmp_path / "none")
    assert all("make .venv-spark/.ready" in row["not_run"] for row in rows_without(tmp_path, "spark"))


def test_without_sparks_connector_what_needs_none_is_run_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "broker_jars", lambda: (tmp_path, ""))
    monkeypatch.setattr(measured, "connector_jars", lambda: (None, "no connector"))
    monkeypatch.setattr(measured, "SPARK_PYTHON", Path(__file__))
    left_out = {name for name, run in runs_of(tmp_path, *KAFKA).items() if run.func is measured._not_run}
    assert left_out == {name for name in runs_of(tmp_path, *KAFKA) if "Spark" in name}
    assert len(left_out) == 2 * 3 + 2
