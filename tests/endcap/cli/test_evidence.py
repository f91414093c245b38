import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from endcap.cli.evidence import evidence
from endcap.contracts.event import Event, EventType
from endcap.core.errors import InvalidInput
from endcap.core.settings import load_settings
from endcap.events.log.batches import Impressions
from endcap.events.log.open import open_event_log
from endcap.events.log.writer import EventLog
from tests.endcap.events.log.whole_events import WholeEvents
from tests.kafka_broker.broker import KafkaBroker, running_broker

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    app = typer.Typer()
    app.command()(evidence)
    return app


def test_the_log_becomes_evidence(app: typer.Typer, tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events")
    log.emit(Impressions("r1", "u", "s", "home", None, ["A", "B"], [1, 4], [1.0, 0.1], ["popular"] * 2, "1", "default", NOW, True, True))
    log.close()
    result = CliRunner().invoke(app, ["--as-of", "2026-03-08T00:00:00Z", "--json"])
    summary = json.loads(result.stdout)
    assert (summary["items"], summary["impressions"], summary["clicks"], summary["as_of"]) == (2, 0.8, 0.0, "2026-03-08T00:00:00Z")
    assert pl.read_parquet(tmp_path / "live" / "click_evidence.parquet")["impressions"].to_list() == [0.5, 0.25]


def test_no_log_is_empty_evidence(app: typer.Typer, tmp_path: Path) -> None:
    assert json.loads(CliRunner().invoke(app, ["--json"]).stdout)["items"] == 0
    assert len(pl.read_parquet(tmp_path / "live" / "click_evidence.parquet")) == 0


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    with running_broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


def test_impressions_and_clicks_of_a_topic_become_evidence(
    app: typer.Typer, broker: KafkaBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDCAP_EVENTS__KAFKA_BOOTSTRAP", broker.bootstrap)
    monkeypatch.setenv("ENDCAP_EVENTS__KAFKA_TOPIC", broker.topic(partitions=2))
    click = Event(
        event_id=uuid4(),
        event_type=EventType.PRODUCT_VIEW,
        occurred_at=NOW,
        received_at=NOW,
        user_id="u",
        session_id="s",
        item_id="B",
        request_id="r1",
    )
    log = open_event_log(load_settings())
    log.emit(Impressions("r1", "u", "s", "home", None, ["A", "B"], [1, 4], [1.0, 0.1], ["popular"] * 2, "1", "default", NOW, True, True))
    log.emit(WholeEvents([click]))
    log.close(30)
    arguments = ["--from-kafka", "--as-of", "2026-03-01T00:00:00Z", "--json"]
    summary = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert (summary["impressions"], summary["clicks"]) == (1.5, 1.0)
    assert {name: summary[f"kafka_{name}"] for name in ("events", "refused", "missed", "left")} == {
        "events": 3,
        "refused": 0,
        "missed": 0,
        "left": 0,
    }
    counted = pl.read_parquet(tmp_path / "live" / "click_evidence.parquet")
    assert counted.select("item_id", "impressions", "clicks").rows() == [("A", 1.0, 0.0), ("B", 0.5, 1.0)]
    again = json.loads(CliRunner().invoke(app, [*arguments, "--keep-days", "70"]).stdout)
    assert (again["kafka_events"], again["impressions"], again["clicks"]) == (0, 1.5, 1.0)


def test_without_a_kafka_there_is_nothing_to_copy_from(app: typer.Typer) -> None:
    assert "ENDCAP_EVENTS__KAFKA_BOOTSTRAP: no Kafka is set" in str(CliRunner().invoke(app, ["--from-kafka"]).exception)


def test_files_older_than_those_to_keep_are_removed_and_do_not_count(app: typer.Typer, tmp_path: Path) -> None:
    log = EventLog(tmp_path / "events", clock=lambda: NOW - timedelta(days=400))
    log.emit(Impressions("r1", "u", "s", "home", None, ["A"], [1], [1.0], ["popular"], "1", "default", NOW, True, True))
    log.close()
    assert json.loads(CliRunner().invoke(app, ["--keep-days", "70", "--json"]).stdout)["items"] == 0
    assert not list((tmp_path / "events").iterdir())


@pytest.mark.parametrize("moment", ["yesterday", "2026-03-08T00:00:00", "2026-03-08T00:00:00+02:00"])
def test_a_moment_must_be_utc(app: typer.Typer, moment: str) -> None:
    assert isinstance(CliRunner().invoke(app, ["--as-of", moment]).exception, InvalidInput)
