"""Requests read SQLite's online store while the stream writes."""

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from endcap.features.store.online import OnlineFeatures
from endcap.features.store.online_file import let_readers_go_on


def mode_of(file: Path) -> str:
    with closing(sqlite3.connect(file)) as connection:
        return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def test_a_request_does_not_wait_for_who_writes(filled: SimpleNamespace) -> None:
    file = filled.settings.feast_dir / "online.db"
    online = OnlineFeatures.open(filled.settings)
    with closing(sqlite3.connect(file, isolation_level=None)) as writing:
        writing.execute("BEGIN EXCLUSIVE")
        row = online.read("u1", None)
        writing.execute("ROLLBACK")
    assert row is not None
    assert row["user"] is not None


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    let_readers_go_on(tmp_path / "online.db")
    assert not (tmp_path / "online.db").exists()


def test_the_file_remembers(tmp_path: Path) -> None:
    file = tmp_path / "online.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE seen (id TEXT)")
    assert mode_of(file) == "delete"
    let_readers_go_on(file)
    assert mode_of(file) == "wal"


def test_a_file_that_cannot_be_changed_is_said_to_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "online.db"
    file.write_text("no database, but long enough to be taken for one by whoever does not look at its first bytes")
    let_readers_go_on(file)
    assert "requests wait for who writes the online store" in "".join(capsys.readouterr())
