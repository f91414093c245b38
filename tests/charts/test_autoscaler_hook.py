"""The script of the hook that deletes replaced autoscalers, run as its pod runs it, against an API server of four objects on loopback."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.charts.chart import CHART
from tests.pipelines.kfp_server.tls import certified
from tests.served_http import served

SCRIPT = CHART / "files" / "hooks" / "replaced_autoscalers.py"
CLASS = "serving.kserve.io/autoscalerClass"
SERVICE, DEPLOYMENT, HPA, SCALED_OBJECT = (
    "inferenceservices/shop",
    "deployments/shop-predictor",
    "horizontalpodautoscalers/shop-predictor",
    "scaledobjects/shop-predictor",
)
Objects = dict[str, dict[str, Any]]


def made(uid: str, autoscaler_class: str | None = None, owner: str | None = None) -> dict[str, Any]:
    owners = [{"uid": owner, "controller": True}] if owner else []
    return {"metadata": {"uid": uid, "annotations": {CLASS: autoscaler_class} if autoscaler_class else {}, "ownerReferences": owners}}


class ApiServer:
    """Objects by their path's end; `asked` are the requests so far, and `changes` what a request of a number brings with it."""

    def __init__(self, objects: Objects) -> None:
        self.objects = objects
        self.asked: list[str] = []
        self.changes: Callable[[int, Objects], None] = lambda number, objects: None
        self.failures = 0

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        assert "/namespaces/team/" in path
        key = "/".join(path.split("/")[-2:])
        self.asked.append(f"{method} {key}")
        if self.failures:
            self.failures -= 1
            return 503, {"message": "starts up"}
        self.changes(len(self.asked), self.objects)
        found = self.objects.get(key)
        if found is None:
            return 404, {}
        if method == "DELETE":
            assert body["preconditions"]["uid"] == found["metadata"]["uid"]
            del self.objects[key]
        return 200, found


@contextmanager
def serving(server: ApiServer, folder: Path) -> Iterator[int]:
    """The port; the account's files are in the folder."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["authorization"] == "Bearer pod's"
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            status, document = server.answer(self.command, self.path, json.loads(body) if body else None)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    certificate, tls = certified(folder)
    certificate.rename(folder / "ca.crt")
    (folder / "token").write_text("pod's\n")
    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.socket = tls.wrap_socket(listening.socket, server_side=True)
    with served(listening):
        yield listening.server_address[1]


@pytest.fixture
def server() -> ApiServer:
    """KEDA is wanted, KServe has taken it over, and the HorizontalPodAutoscaler of before is there."""
    return ApiServer(
        {
            SERVICE: made("service", "keda"),
            DEPLOYMENT: made("deployment", "keda"),
            HPA: made("old", owner="service"),
            SCALED_OBJECT: made("new", owner="service"),
        }
    )


def run(server: ApiServer, folder: Path, timeout_s: float = 20, settled_s: float = 0.1) -> subprocess.CompletedProcess[str]:
    with serving(server, folder) as port:
        environment = {
            "SERVICE_ACCOUNT_FOLDER": str(folder),
            "KUBERNETES_SERVICE_HOST": "127.0.0.1",
            "KUBERNETES_SERVICE_PORT": str(port),
            "NAMESPACE": "team",
            "SERVICES": "shop,shop-candidate",
            "TIMEOUT_SECONDS": str(timeout_s),
            "SETTLED_SECONDS": str(settled_s),
            "COMMAND": "kubectl delete hpa",
        }
        command = [sys.executable, "-I", "-c", SCRIPT.read_text()]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_the_autoscaler_of_the_class_before_is_deleted_and_the_new_one_stays(server: ApiServer, tmp_path: Path) -> None:
    done = run(server, tmp_path)
    assert done.returncode == 0, done.stderr
    assert set(server.objects) == {SERVICE, DEPLOYMENT, SCALED_OBJECT}
    assert [each for each in server.asked if each.startswith("DELETE")] == [f"DELETE {HPA}"]


def test_nothing_is_deleted_before_kserve_has_taken_the_class_over(server: ApiServer, tmp_path: Path) -> None:
    server.objects[DEPLOYMENT] = made("deployment", "hpa")

    def take_over(number: int, objects: Objects) -> None:
        if number == 8:
            objects[DEPLOYMENT] = made("deployment", "keda")

    server.changes = take_over
    assert run(server, tmp_path).returncode == 0
    assert server.asked.index(f"DELETE {HPA}") > 7


def test_a_kserve_that_does_not_take_it_over_leaves_a_command(server: ApiServer, tmp_path: Path) -> None:
    server.objects[DEPLOYMENT] = made("deployment", "hpa")
    done = run(server, tmp_path, timeout_s=0)
    assert done.returncode == 1
    assert "KServe has not taken" in done.stderr
    assert "kubectl delete hpa" in done.stderr
    assert HPA in server.objects


def test_one_that_kserve_made_again_is_deleted_again(server: ApiServer, tmp_path: Path) -> None:
    def make_again(number: int, objects: Objects) -> None:
        if number == 6:
            objects[HPA] = made("again", owner="service")

    server.changes = make_again
    assert run(server, tmp_path, settled_s=2).returncode == 0
    assert HPA not in server.objects
    assert server.asked.count(f"DELETE {HPA}") == 2


def test_an_autoscaler_that_somebody_else_made_stays(server: ApiServer, tmp_path: Path) -> None:
    server.objects[HPA] = made("mine", owner="another")
    assert run(server, tmp_path).returncode == 0
    assert HPA in server.objects


def test_the_class_none_has_no_autoscaler(server: ApiServer, tmp_path: Path) -> None:
    server.objects |= {SERVICE: made("service", "none"), DEPLOYMENT: made("deployment", "none")}
    assert run(server, tmp_path).returncode == 0
    assert set(server.objects) == {SERVICE, DEPLOYMENT}


def test_an_api_server_that_is_away_is_asked_again(server: ApiServer, tmp_path: Path) -> None:
    server.failures = 2
    assert run(server, tmp_path).returncode == 0
    assert HPA not in server.objects
