import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from endcap.cli.evidence import evidence
from endcap.errors import InvalidInput
from endcap.event_log.batches import Impressions
from endcap.event_log.writer import EventLog

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    app = typer.Typer()
    app.command()(evidence)
    return app


def test_the_log_becomes_evidence(app: typer.Typer, tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events")
    log.emit(Impressions("r1", "u", "s", "home", None, ["A", "B"], [1, 4], [1.0, 0.1], ["popular"] * 2, "1", "default", NOW))
    log.close()
    result = CliRunner().invoke(app, ["--as-of", "2026-03-08T00:00:00Z", "--json"])
    summary = json.loads(result.stdout)
    assert (summary["items"], summary["impressions"], summary["clicks"], summary["as_of"]) == (2, 0.8, 0.0, "2026-03-08T00:00:00Z")
    assert pl.read_parquet(tmp_path / "live" / "click_evidence.parquet")["impressions"].to_list() == [0.5, 0.25]


def test_no_log_is_empty_evidence(app: typer.Typer, tmp_path: Path) -> None:
    assert json.loads(CliRunner().invoke(app, ["--json"]).stdout)["items"] == 0
    assert len(pl.read_parquet(tmp_path / "live" / "click_evidence.parquet")) == 0


@pytest.mark.parametrize("moment", ["yesterday", "2026-03-08T00:00:00", "2026-03-08T00:00:00+02:00"])
def test_a_moment_must_be_utc(app: typer.Typer, moment: str) -> None:
    assert isinstance(CliRunner().invoke(app, ["--as-of", moment]).exception, InvalidInput)
