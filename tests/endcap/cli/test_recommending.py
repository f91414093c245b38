"""`endcap recommend` against an endpoint that answers what the test says."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import typer
from typer.testing import CliRunner

from endcap.cli.recommending import ask, recommend
from endcap.core.errors import DependencyUnavailable, EndcapError, InvalidInput
from tests.endcap.prepared_lists.made_endpoint import MadeEndpoint
from tests.served_http import served

ANSWER = {
    "recommendations": [
        {"item_id": "7", "score": 0.25, "source": "popular", "reason": "Popular right now", "position": 1, "title": "Bananas"}
    ],
    "request_id": "r-1",
    "bundle": "endcap-5",
    "variant": "default",
    "degraded": ["rank"],
    "ignored": ["9"],
    "timings_ms": {"total": 12.5},
}


class Endpoint(HTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.document = 200, json.dumps({"predictions": [ANSWER]}).encode()
        self.asked: list[tuple[str, dict]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((self.path, body))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.document)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with served(Endpoint()) as server:
        yield server


@pytest.fixture
def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(recommend)
    return app


def test_filters_that_were_left_out_are_told_from_unknown_items(endpoint, command) -> None:
    endpoint.document = json.dumps({"predictions": [ANSWER | {"ignored": ["9", "filters.price_max"]}]}).encode()
    shown = CliRunner(env={"COLUMNS": "160"}).invoke(command, ["--user", "u", "--url", endpoint.url]).output
    assert "unknown items: 9\n" in shown
    assert "left out, since they cannot apply: filters.price_max" in shown


def test_the_answer_is_a_table_with_times(endpoint, command) -> None:
    shown = CliRunner(env={"COLUMNS": "160"}).invoke(
        command, ["--user", "u", "--item", "9", "--surface", "cart", "-k", "3", "--url", endpoint.url]
    )
    assert shown.exit_code == 0
    for text in ("Bananas", "Popular right now", "unknown items: 9", "fell back: rank", "total 12.5", "endcap-5"):
        assert text in shown.output
    instance = {"surface": "cart", "k": 3, "explain": False, "item_ids": ["9"], "user_id": "u"}
    assert endpoint.asked == [("/v1/models/endcap:predict", {"instances": [instance]})]


def test_json_is_the_answer_itself(endpoint, command) -> None:
    shown = CliRunner().invoke(command, ["--json", "--url", endpoint.url])
    assert json.loads(shown.output) == ANSWER


def test_nothing_there_is_a_missing_part() -> None:
    with pytest.raises(DependencyUnavailable, match="endcap serve"):
        ask("http://127.0.0.1:1", "endcap", [{}])


def test_a_refusal_is_the_callers_fault(endpoint) -> None:
    endpoint.status, endpoint.document = 400, b'{"error": "instances[0].k: must be at most 500; got 501"}'
    with pytest.raises(InvalidInput, match=r"instances\[0\]\.k: must be at most 500"):
        ask(endpoint.url, "endcap", [{"k": 501}])


def test_a_failing_endpoint_is_reported(endpoint) -> None:
    endpoint.status, endpoint.document = 500, b'{"error": "broken"}'
    with pytest.raises(EndcapError, match="status 500: broken"):
        ask(endpoint.url, "endcap", [{}])


def test_something_else_at_the_address_is_no_endpoint(endpoint) -> None:
    endpoint.document = b"<html>"
    with pytest.raises(DependencyUnavailable, match="no predict endpoint"):
        ask(endpoint.url, "endcap", [{}])


def test_an_address_without_scheme_is_refused() -> None:
    with pytest.raises(InvalidInput, match="--url"):
        ask("localhost:8080", "endcap", [{}])


def test_consent_is_sent_as_it_is_stated_and_a_list_without_it_is_called_so(endpoint, command) -> None:
    endpoint.document = json.dumps({"predictions": [ANSWER | {"personalised": False}]}).encode()
    shown = CliRunner().invoke(command, ["--user", "u", "--no-personalisation", "--analytics", "--url", endpoint.url])
    assert shown.exit_code == 0
    assert "not personalised" in shown.output
    assert endpoint.asked[0][1]["instances"][0]["consent"] == {"personalisation": False, "analytics": True}


def test_lists_of_a_file_of_people_are_prepared_in_a_folder(command, tmp_path) -> None:
    people = tmp_path / "people.csv"
    people.write_text("user_id\nu1\nu2\n")
    with served(MadeEndpoint()) as server:
        arguments = [
            "--people",
            str(people),
            "--surface",
            "email",
            "-k",
            "2",
            "--out",
            str(tmp_path / "lists"),
            "--url",
            server.url,
            "--json",
        ]
        shown = CliRunner().invoke(command, arguments)
        server.shutdown()
    assert shown.exit_code == 0
    told = json.loads(shown.output)
    assert (told["lists"], told["kept"], told["run"][:6]) == (2, 0, "email-")
    assert [file.name for file in sorted((tmp_path / "lists").iterdir())] == ["lists.json", "part-000000.parquet"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--all"], "--out: is missing"),
        (["--all", "--user", "u", "--out", "x"], "--user: is for one list"),
        (["--out", "x"], "--out: prepared lists need to know for whom"),
    ],
)
def test_options_that_do_not_go_together_are_refused_by_name(command, options, message) -> None:
    with pytest.raises(InvalidInput, match=message):
        CliRunner().invoke(command, options, catch_exceptions=False)
