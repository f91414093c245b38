import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

import pytest
import yaml
from typer.testing import CliRunner

from endcap.cli.events import app
from endcap.contracts.event_type import EventType
from endcap.core.ports import free_port
from endcap.core.settings import ConsentSettings
from endcap.events.acceptance.acceptance import Acceptance, Accepted, Sender
from endcap.events.acceptance.custom_types import CustomTypes
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.probes.line import probe_line
from tests.endcap.events.sent_events import sent
from tests.served_http import served

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


def test_tail_shows_probes_when_it_is_asked_to(home: Path) -> None:
    (home / "events").mkdir()
    (home / "events" / "a.jsonl").write_text(probe_line("collector a", NOW, Random(1)))
    assert "there are no events" in CliRunner().invoke(app, ["tail"]).stdout
    (row,) = json.loads(CliRunner().invoke(app, ["tail", "--probes", "--json"]).stdout)
    assert (row["event_type"], row["session_id"]) == ("probe", "collector a")


METRICS = {
    "collector": 'endcap_probe_timestamp_seconds{station="disk"} 1.7723232e+09\n',
    "stream": """endcap_probe_timestamp_seconds{station="read"} 1.7723232e+09
endcap_probe_timestamp_seconds{station="stepped"} 1.7723232e+09
endcap_probe_timestamp_seconds{station="online_store"} 1.7723232e+09
endcap_probe_delay_seconds_bucket{le="0.5",station="online_store"} 0.0
endcap_probe_delay_seconds_bucket{le="1.5",station="online_store"} 10.0
endcap_probe_delay_seconds_bucket{le="+Inf",station="online_store"} 10.0
""",
}


@contextmanager
def metrics_at(text: str) -> Iterator[int]:
    """A part that shows these metrics, by its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield server.server_port


def test_way_says_how_long_events_take_to_the_lists_and_which_part_is_silent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with metrics_at(METRICS["collector"]) as collector, metrics_at(METRICS["stream"]) as stream:
        monkeypatch.setenv("ENDCAP_COLLECTOR__PORT", str(collector))
        monkeypatch.setenv("ENDCAP_STREAM__PORT", str(stream))
        monkeypatch.setenv("ENDCAP_SERVING__HTTP_PORT", str(free_port()))
        said = CliRunner().invoke(app, ["way"])
        found = json.loads(CliRunner().invoke(app, ["way", "--json"]).stdout)
    assert "events reach lists in 1.0 s" in said.stdout
    assert "the transformer does not answer" in said.stderr
    assert [row["station"] for row in found["stations"]] == ["disk", "read", "stepped", "online_store"]
    assert (found["to_lists_seconds"], found["silent"]) == (1.0, ["the transformer"])


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
