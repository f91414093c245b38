import json
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import typer
from typer.testing import CliRunner

from endcap.cli.outcomes import outcomes
from endcap.contracts.event import Event
from endcap.core.errors import InvalidInput
from endcap.events.log.batches import Impressions
from endcap.events.log.writer import EventLog
from tests.endcap.events.log.whole_events import WholeEvents
from tests.endcap.events.outcomes.made_events import START, event


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    app = typer.Typer()
    app.command()(outcomes)
    return app


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """One list of two places, and a click on the second, as the transformer and the collector write them."""
    written = EventLog(tmp_path / "events")
    written.emit(
        Impressions("r1", "u", "s1", "home", None, ["A", "B"], [1, 2], [1.0, 0.1], ["popular", "ease"], "endcap-7", "a", START, True, True)
    )
    click = event("click", 1, 2, item_id="B", request_id="r1")
    written.emit(WholeEvents([Event.model_validate({**click, "event_id": UUID(click["event_id"])})]))
    written.close()
    return tmp_path


def test_the_log_is_joined_and_told_by_source(app: typer.Typer, log: Path) -> None:
    found = json.loads(CliRunner().invoke(app, ["--from-log", "--by", "source", "--json"]).stdout)
    assert {row["source"]: (row["impressions"], row["ctr"]) for row in found["rates"]} == {"popular": (1, 0.0), "ease": (1, 1.0)}
    assert [place["source"] for place in found["examination"]] == ["assumed"] * 10
    assert (log / "outcomes" / f"{START.date()}.parquet").exists()


def test_days_outside_are_left_out(app: typer.Typer, log: Path) -> None:
    day_before = str((START - timedelta(days=1)).date())
    found = json.loads(CliRunner().invoke(app, ["--from-log", "--to", day_before, "--json"]).stdout)
    assert found["rates"] == []


def test_people_get_a_table_with_intervals(app: typer.Typer, log: Path) -> None:
    shown = CliRunner().invoke(app, ["--from-log", "--by", "position"], env={"COLUMNS": "220"}).stdout
    assert "95 % intervals" in shown
    assert "How likely a place is looked at" in shown


def test_without_outcomes_the_command_says_where_they_come_from(app: typer.Typer) -> None:
    assert "--from-log" in CliRunner().invoke(app, []).stdout


def test_a_day_must_be_a_date(app: typer.Typer) -> None:
    assert isinstance(CliRunner().invoke(app, ["--from", "yesterday"]).exception, InvalidInput)
