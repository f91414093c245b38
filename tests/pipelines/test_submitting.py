import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from endcap.errors import DependencyUnavailable, InvalidInput
from pipelines.resources import GpuPool
from pipelines.submitting import Server, submit_pipeline
from pipelines.training import PIPELINE_NAME

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
ARGUMENTS = {"data_dir": "/data/endcap", "fingerprint": "f", "quotas": {"popular_quota": 10}}


@dataclass
class Requests:
    """What reached the server: method, path, body, authorization."""

    seen: list[tuple[str, str, bytes, str | None]] = field(default_factory=list)
    known_pipeline: bool = False
    forbidden: str = ""

    def body_of(self, path: str) -> bytes:
        return next(body for method, seen, body, _ in self.seen if seen == path and method == "POST")


@pytest.fixture
def api() -> Iterator[tuple[str, Requests]]:
    """A server with the paths of the KFP v2beta1 API that a submission takes."""
    requests = Requests()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(b"")

        def do_POST(self) -> None:
            self.answer(self.rfile.read(int(self.headers.get("content-length", 0))))

        def answer(self, body: bytes) -> None:
            path = urlsplit(self.path).path
            requests.seen.append((self.command, path, body, self.headers.get("authorization")))
            status, document = respond(requests, self.command, path)
            payload = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", requests
    server.shutdown()
    server.server_close()
    thread.join()


def respond(requests: Requests, method: str, path: str) -> tuple[int, dict[str, Any]]:
    known = {"pipeline_id": "p1", "display_name": PIPELINE_NAME}
    answers: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {
        ("GET", "/apis/v2beta1/healthz"): (200, {"multi_user": False}),
        ("GET", "/apis/v2beta1/pipelines"): (200, {"pipelines": [known] if requests.known_pipeline else []}),
        ("POST", "/apis/v2beta1/pipelines/upload"): (200, known),
        ("POST", "/apis/v2beta1/pipelines/upload_version"): (200, {"pipeline_id": "p1", "pipeline_version_id": "v2"}),
        ("GET", "/apis/v2beta1/pipelines/p1/versions"): (200, {"pipeline_versions": [{"pipeline_version_id": "v1"}]}),
        ("GET", "/apis/v2beta1/experiments"): (200, {"experiments": [{"experiment_id": "e1", "display_name": "endcap"}]}),
        ("POST", "/apis/v2beta1/experiments"): (200, {"experiment_id": "e1", "display_name": "endcap"}),
        ("POST", "/apis/v2beta1/runs"): (200, {"run_id": "r1"}),
    }
    if path == requests.forbidden:
        return 403, {"error": "forbidden"}
    return answers.get((method, path), (404, {"error": f"{method} {path}"}))


def test_a_new_pipeline_is_uploaded_and_run_with_its_arguments(api: tuple[str, Requests]) -> None:
    host, requests = api
    submission = submit_pipeline(Server(host, token="secret"), ARGUMENTS, "endcap", GpuPool(), NOW)
    assert submission.run_id == "r1"
    assert submission.url == f"{host}/#/runs/details/r1"
    assert b"endcap-training" in requests.body_of("/apis/v2beta1/pipelines/upload")
    run = json.loads(requests.body_of("/apis/v2beta1/runs"))
    assert run["runtime_config"]["parameters"] == ARGUMENTS
    assert run["pipeline_version_reference"]["pipeline_id"] == "p1"
    assert {authorization for *_, authorization in requests.seen} == {"Bearer secret"}


def test_a_known_pipeline_gets_a_new_version(api: tuple[str, Requests]) -> None:
    host, requests = api
    requests.known_pipeline = True
    submit_pipeline(Server(host), ARGUMENTS, "endcap", GpuPool(), NOW)
    paths = [path for _, path, *_ in requests.seen]
    assert "/apis/v2beta1/pipelines/upload_version" in paths
    assert "/apis/v2beta1/pipelines/upload" not in paths
    run = json.loads(requests.body_of("/apis/v2beta1/runs"))
    assert run["pipeline_version_reference"]["pipeline_version_id"] == "v2"


def test_a_refusal_of_the_server_is_told(api: tuple[str, Requests]) -> None:
    host, requests = api
    requests.forbidden = "/apis/v2beta1/runs"
    with pytest.raises(InvalidInput, match="403"):
        submit_pipeline(Server(host), ARGUMENTS, "endcap", GpuPool(), NOW)


def test_a_server_that_does_not_answer_is_named() -> None:
    with pytest.raises(DependencyUnavailable, match=r"--host.*127\.0\.0\.1:9"):
        submit_pipeline(Server("http://127.0.0.1:9"), ARGUMENTS, "endcap", GpuPool(), NOW)
