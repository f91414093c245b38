"""`endcap ids hash`, and an import that keeps ids hashed."""

import json
import socket
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from endcap.cli import ids, importing
from endcap.core.errors import DataRejected, DependencyUnavailable, InvalidInput
from endcap.core.person_ids import load_person_ids
from endcap.core.ports import free_ports
from endcap.core.settings import load_settings
from endcap.dataset.layout import open_dataset


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path / "home"))
    collector, http = free_ports(2)
    monkeypatch.setenv("ENDCAP_COLLECTOR__PORT", str(collector))
    monkeypatch.setenv("ENDCAP_SERVING__HTTP_PORT", str(http))
    (tmp_path / "train.txt").write_text("U1 1 2 3\nU2 2 3\n", encoding="ascii")
    return tmp_path / "home"


def run(*arguments: str | Path) -> dict[str, Any]:
    app = ids.app if arguments[0] == "hash" else importing.app
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def import_lines(tmp_path: Path, *more: str) -> dict[str, Any]:
    return run("sequences", "--interactions", tmp_path / "train.txt", *more)


def test_what_is_stored_is_renamed_once_and_features_have_to_be_made_again(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_lines(tmp_path)
    (home / "features").mkdir()
    (home / "events").mkdir()
    line = '{"occurred_at":"2026-11-27T11:59:00Z","session_id":"s","event_id":"x","user_id":"U1"}\n'
    (home / "events" / "20261127T120000-1-a-000001.jsonl").write_text(line, encoding="utf-8")
    monkeypatch.setenv("ENDCAP_PERSON_IDS__HASHED", "true")
    first = run("hash")
    kept = load_person_ids(load_settings())
    assert first["key"] == kept.fingerprint
    assert first["event_log_ids"] == 2
    assert set(pl.read_parquet(home / "data" / "users.parquet")["user_id"]) == {kept.kept("U1"), kept.kept("U2")}
    assert not (home / "features").exists()
    again = run("hash")
    assert again["event_log_ids"] == 0
    assert set(pl.read_parquet(home / "data" / "users.parquet")["user_id"]) == {kept.kept("U1"), kept.kept("U2")}


def test_an_import_keeps_ids_as_the_settings_say(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDCAP_PERSON_IDS__HASHED", "true")
    report = import_lines(tmp_path)
    kept = load_person_ids(load_settings())
    assert report["person_ids"] == kept.fingerprint
    assert set(pl.read_parquet(home / "data" / "events.parquet")["user_id"]) == {kept.kept("U1"), kept.kept("U2")}
    assert import_lines(tmp_path)["reused"]
    monkeypatch.delenv("ENDCAP_PERSON_IDS__HASHED")
    with pytest.raises(DataRejected, match="--force"):
        import_lines(tmp_path)
    assert import_lines(tmp_path, "--force")["person_ids"] is None
    assert set(pl.read_parquet(open_dataset(home / "data").table("users"))["user_id"]) == {"U1", "U2"}


def test_nothing_is_renamed_unless_the_settings_want_it_everywhere(home: Path) -> None:
    with pytest.raises(InvalidInput, match="ids are kept as given"):
        run("hash")
    assert not home.exists()


def test_nothing_is_renamed_while_somebody_may_write(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDCAP_PERSON_IDS__HASHED", "true")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", load_settings().collector.port))
        taken.listen()
        with pytest.raises(DependencyUnavailable, match="stop `endcap serve` first"):
            run("hash")
    assert not (home / "events").exists()
