import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from endcap.cli.events import app
from endcap.contracts.event_type import EventType
from endcap.core.settings import ConsentSettings
from endcap.events.acceptance.acceptance import Acceptance, Accepted, Sender
from endcap.events.acceptance.custom_types import CustomTypes
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from tests.endcap.events.sent_events import sent

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENDCAP_HOME", str(tmp_path))
    return tmp_path


def test_tail_shows_the_newest_events_of_a_type(home: Path) -> None:
    acceptance = Acceptance(ConsentSettings(personalisation=True, analytics=True), CustomTypes(), lambda: "fresh")
    sender = Sender("till", Scope.SERVER, TYPES_OF_SCOPE[Scope.SERVER])
    events = [sent(kind, NOW, str(number)) for number in range(5) for kind in (EventType.CLICK, EventType.SEARCH)]
    verdicts = [acceptance.judge(json.dumps(event), sender, NOW) for event in events]
    (home / "events").mkdir()
    (home / "events" / "a.jsonl").write_text("".join(verdict.line for verdict in verdicts if isinstance(verdict, Accepted)))
    result = CliRunner().invoke(app, ["tail", "--type", "click", "-n", "2", "--json"])
    assert [row["event_id"] for row in json.loads(result.stdout)] == [events[6]["event_id"], events[8]["event_id"]]
    assert "there are no events" in CliRunner().invoke(app, ["tail", "--type", "dwell"]).stdout


def test_a_new_key_is_shown_once_and_its_entry_holds_a_hash(home: Path) -> None:
    from endcap_collector.key_file import hash_of, read_key_file

    result = CliRunner().invoke(app, ["key", "web", "--scope", "browser", "--origin", "https://shop.example"])
    secret = result.stderr.removeprefix("key: ").strip()
    assert secret not in result.stdout
    assert yaml.safe_load(result.stdout)["keys"][0]["sha256"] == hash_of(secret)
    (home / "keys.yaml").write_text(result.stdout)
    as_json = json.loads(CliRunner().invoke(app, ["key", "web", "--scope", "server", "--json"]).stdout)
    assert as_json["entry"]["sha256"] == hash_of(as_json["key"])
    entry = read_key_file(home / "keys.yaml").find(secret)
    assert entry is not None
    assert (entry.name, entry.scope, entry.origins) == ("web", Scope.BROWSER, ["https://shop.example"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["key", "web", "--scope", "all"], "no such scope"),
        (["backfill", "none.jsonl"], "--key: is missing"),
        (["send", "none.jsonl"], "FILE: cannot be read"),
    ],
)
def test_what_cannot_be_done_says_why(home: Path, arguments: list[str], message: str) -> None:
    assert message in str(CliRunner().invoke(app, arguments).exception)
