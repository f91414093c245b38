import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from endcap.cli.dead_letters import app
from endcap.contracts.dead_letter import DeadLetter
from endcap.contracts.event_type import EventType
from endcap.core.settings import ConsentSettings
from endcap.events.acceptance.acceptance import Acceptance, Refused, Sender
from endcap.events.acceptance.custom_types import CustomTypes
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.dead_letters.letters import SentText, dead_letter
from endcap.events.dead_letters.sealing import load_seal
from endcap.events.log.reader import read_events
from tests.endcap.events.sent_events import sent

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SENDER = Sender("till", Scope.SERVER, TYPES_OF_SCOPE[Scope.SERVER])


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[DeadLetter]:
    """Two events with a field that the contract does not know."""
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    acceptance = Acceptance(ConsentSettings(personalisation=True, analytics=True), CustomTypes(), lambda: "fresh")
    seal = load_seal(None, tmp_path / "keys" / "dead_letters.key", "KEY", may_make=True)
    made = []
    for number in range(2):
        text = json.dumps(sent(EventType.CLICK, NOW, str(number), colour="red", user_id="u-1"))
        verdict = acceptance.judge(text, SENDER, NOW)
        assert isinstance(verdict, Refused)
        made.append(dead_letter(verdict, SentText(text, "192.0.2.7", number), SENDER, NOW, seal))
    (tmp_path / "dead_letters").mkdir()
    (tmp_path / "dead_letters" / "a.jsonl").write_text("".join(letter.model_dump_json(exclude_none=True) + "\n" for letter in made))
    (tmp_path / "fix.yaml").write_text("remove: [colour]\n")
    return made


def test_letters_are_counted_by_reason(letters: list[DeadLetter]) -> None:
    (row,) = json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout)
    assert (row["kind"], row["letters"]) == ("field_refused", 2)
    assert "no field" in CliRunner().invoke(app, ["list"]).stdout


def test_a_letter_is_shown_whole(letters: list[DeadLetter]) -> None:
    shown = json.loads(CliRunner().invoke(app, ["show", str(letters[0].letter_id), "--json"]).stdout)
    assert (json.loads(shown["sent"])["user_id"], shown["address"], shown["key_id"]) == ("u-1", "192.0.2.7", "till")
    assert "192.0.2.7" in CliRunner().invoke(app, ["show", str(letters[0].letter_id)]).stdout


def test_a_fix_is_tried_before_it_is_replayed(letters: list[DeadLetter], tmp_path: Path) -> None:
    fix = str(tmp_path / "fix.yaml")
    (tried,) = json.loads(CliRunner().invoke(app, ["fix", fix, "--samples", "1", "--json"]).stdout)
    assert (tried["letter"], tried["is"]) == (str(letters[0].letter_id), "taken")
    assert not (tmp_path / "events").exists()
    assert json.loads(CliRunner().invoke(app, ["replay", fix, "--json"]).stdout) == {"stored": 2, "duplicates": 0, "refused": 0}
    assert "0 stored" in CliRunner().invoke(app, ["replay", fix]).stdout
    assert "the fix is for no dead letter" in CliRunner().invoke(app, ["fix", fix]).stdout
    assert len(read_events(tmp_path / "events").collect()) == 2


def test_nothing_to_list_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    assert "there are no dead letters" in CliRunner().invoke(app, ["list"]).stdout
