import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from endcap.cli.importing import app
from endcap.contracts.event import Event
from endcap.core.errors import DataRejected, InvalidInput

MAPPING = """
currency: EUR
time_zone: UTC
tables:
  items: {files: items.csv, columns: {item_id: sku, title: name}}
  events:
    files: views.csv
    columns: {session_id: visit, occurred_at: at, item_id: sku}
    constants: {event_type: product_view}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "items.csv").write_text("sku,name\nA1,Tea\n")
    (tmp_path / "views.csv").write_text("visit,at,sku\n1,2026-03-01 09:00,A1\n2,2026-03-01 09:05,A1\n")
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path / "home"))
    return tmp_path


def run(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_folder_goes_to_the_settings_data_folder_and_prints_its_description(shop: Path) -> None:
    result = run("folder", shop, "--mapping", shop / "mapping.yaml", "--json")
    printed = json.loads(result.stdout)
    assert result.exit_code == 0
    assert printed["path"] == str(shop / "home" / "data")
    assert printed["rows"] == {"items": 1, "events": 2}
    assert not printed["reused"]


def test_a_second_run_reuses_and_force_does_not(shop: Path) -> None:
    arguments = ("folder", shop, "--mapping", shop / "mapping.yaml", "--out", shop / "out", "--json")
    assert [json.loads(run(*arguments, *more).stdout)["reused"] for more in ((), (), ("--force",))] == [False, True, False]


def test_people_get_a_table(shop: Path) -> None:
    result = run("folder", shop, "--mapping", shop / "mapping.yaml")
    assert "imported" in result.stdout
    assert "events" in result.stdout


def test_rows_that_a_condition_leaves_out_are_told_beside_the_others(shop: Path) -> None:
    mapping = MAPPING.replace("files: views.csv", "files: views.csv\n    where: visit <> 2")
    mapping = mapping.replace("{files: items.csv,", "{files: views.csv, one_row_an_id: true, where: visit = 2,").replace(
        ", title: name", ""
    )
    (shop / "mapping.yaml").write_text(mapping)
    arguments = ("folder", shop, "--mapping", shop / "mapping.yaml")
    assert "1 rows were left out of events by `where`" in run(*arguments).stdout
    assert json.loads(run(*arguments, "--json").stdout)["left_out"] == {"items": 1, "events": 1}


def test_an_id_with_an_implausible_share_of_the_events_is_named(shop: Path) -> None:
    visits = ["guest"] * 300 + [f"c{number}" for number in range(200)]
    (shop / "views.csv").write_text("visit,at,sku,who\n" + "".join(f"{n},2026-03-01 09:00,A1,{who}\n" for n, who in enumerate(visits)))
    (shop / "mapping.yaml").write_text(MAPPING.replace("item_id: sku}\n    const", "item_id: sku, user_id: who}\n    const"))
    arguments = ("folder", shop, "--mapping", shop / "mapping.yaml")
    assert "The user_id 'guest' has 60% of all customers' events (300), far more than any other." in run(*arguments).stdout
    assert json.loads(run(*arguments, "--json").stdout)["implausible_users"] == [{"user_id": "guest", "events": 300, "share": 0.6}]
    (shop / "mapping.yaml").write_text((shop / "mapping.yaml").read_text() + "    null_values: guest\n")
    assert "guest" not in run(*arguments).stdout


def test_a_bad_mapping_is_an_invalid_input(shop: Path) -> None:
    (shop / "mapping.yaml").write_text(MAPPING.replace("visit, occurred_at: at", "visit"))
    result = run("folder", shop, "--mapping", shop / "mapping.yaml")
    assert isinstance(result.exception, InvalidInput)
    assert "occurred_at missing" in str(result.exception)


def test_too_many_bad_rows_are_a_rejected_dataset(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop / "views.csv").write_text("visit,at,sku\n1,2026-03-01 09:00,A1\n2,yesterday,A1\n")
    result = run("folder", shop, "--mapping", shop / "mapping.yaml")
    assert isinstance(result.exception, DataRejected)
    assert result.exception.exit_code == 3
    assert "occurred_at: is no time like" in str(result.exception)
    monkeypatch.setenv("ENDCAP_DATA__MAX_REJECTED_SHARE", "0.5")
    assert run("folder", shop, "--mapping", shop / "mapping.yaml").exit_code == 0


def test_complete_journey_takes_a_sample(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDCAP_DATA__MAX_REJECTED_SHARE", "0.05")
    result = run("complete-journey", "--sample-households", 1, "--out", shop / "journey", "--json")
    assert json.loads(result.stdout)["rows"]["users"] == 1


def test_help_shows_an_example() -> None:
    assert "Example: endcap import complete-journey" in run("complete-journey", "--help").stdout
    assert "Example: endcap import folder" in run("folder", "--help").stdout


def test_a_suggested_mapping_is_printed_or_written_once(shop: Path) -> None:
    (shop / "mapping.yaml").unlink()
    printed = run("suggest", shop).stdout
    assert "tables:" in printed
    assert json.loads(run("suggest", shop, "--json").stdout) == {"path": None, "mapping": printed}
    assert run("suggest", shop, "--out", shop / "mapping.yaml").exit_code == 0
    assert (shop / "mapping.yaml").read_text() == printed
    assert isinstance(run("suggest", shop, "--out", shop / "mapping.yaml").exception, InvalidInput)
    assert run("folder", shop, "--mapping", shop / "mapping.yaml").exit_code == 0


def test_the_log_goes_on_top_of_the_settings_dataset(shop: Path) -> None:
    run("folder", shop, "--mapping", shop / "mapping.yaml")
    assert json.loads(run("log", "--json").stdout)["reused"]
    events = shop / "home" / "events"
    events.mkdir()
    view = {"event_type": "product_view", "session_id": "7", "item_id": "A1", "consent": True, "consent_analytics": True}
    moments = {"occurred_at": "2026-06-01T09:00:00Z", "received_at": "2026-06-01T09:00:00Z"}
    event = Event.model_validate({**view, **moments, "event_id": "00000000-0000-4000-8000-000000000001"})
    (events / "20260601T090000-1.jsonl").write_text(event.model_dump_json(exclude_none=True) + "\n")
    result = run("log")
    assert "1 events are new, 0 of the log do not count; 0 items waited" in result.stdout
    assert "between 2026-03-01, where the dataset ends, and 2026-06-01" in result.stdout
    assert json.loads(run("log", "--json").stdout)["rows"] == {"items": 1, "events": 3}


def test_a_log_whose_ids_are_kept_otherwise_is_refused(shop: Path) -> None:
    run("folder", shop, "--mapping", shop / "mapping.yaml")
    events = shop / "home" / "events"
    events.mkdir()
    (events / "person_ids").write_text("another-key\n")
    refused = run("log").exception
    assert isinstance(refused, DataRejected)
    assert "name another --events" in str(refused)
