"""`endcap doctor` as a command: what it writes and what it ends with, against a small server that answers as an API server does."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.doctor_command import Doctor

pytestmark = pytest.mark.processes

LITTLE = {
    "serving": {"enabled": False},
    "rollouts": {"operator": {"enabled": False}},
    "crds": {"enabled": False},
    "networkPolicies": {"enabled": False},
    "bundles": {"claim": {"create": False}, "storageUri": "s3://shop"},
}
"""Values that ask for next to nothing."""
NAMESPACE = {"metadata": {"name": "shop", "labels": {}}, "status": {"phase": "Active"}}


@contextmanager
def api_server(documents: dict[str, Any], folder: Path) -> Iterator[Doctor]:
    """Serves documents by path, grants every right, and is what the kubeconfig names."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            self._answer(200 if path in documents else 404, documents.get(path, {"message": "not found"}))

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(201, {"status": {"allowed": True}})

        def _answer(self, status: int, document: Any) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        kubeconfig = folder / "kubeconfig.yaml"
        config = {
            "clusters": [{"name": "made", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
            "users": [{"name": "made", "user": {}}],
            "contexts": [{"name": "made", "context": {"cluster": "made", "user": "made"}}],
            "current-context": "made",
        }
        kubeconfig.write_text(yaml.safe_dump(config))
        yield Doctor(kubeconfig)
        server.shutdown()


@pytest.fixture
def little(tmp_path: Path) -> Path:
    file = tmp_path / "little.yaml"
    file.write_text(yaml.safe_dump(LITTLE))
    return file


def test_no_gap_ends_with_0_and_a_gap_with_7_after_the_same_document(little: Path, tmp_path: Path) -> None:
    documents: dict[str, Any] = {"/version": {"gitVersion": "v1.34.1"}, "/api/v1/namespaces/shop": NAMESPACE}
    arguments = ("--namespace", "shop", "--values", little, "--json")
    with api_server(documents, tmp_path) as doctor:
        good = doctor.run(*arguments)
        documents["/version"] = {"gitVersion": "v1.29.4"}
        old = doctor.run(*arguments)
    assert good.returncode == 0, good.stderr
    assert good.stderr == ""
    assert json.loads(good.stdout)["counts"]["gap"] == 0
    assert old.returncode == 7
    assert json.loads(old.stdout)["counts"]["gap"] == 1
    assert "1 of" in old.stderr


def test_strict_fails_for_a_warning(little: Path, tmp_path: Path) -> None:
    values = tmp_path / "gpu.yaml"
    values.write_text(yaml.safe_dump({"serving": {"enabled": True, "nodeSelector": {"disk": "fast"}}}))
    documents = {"/version": {"gitVersion": "v1.34.1"}, "/api/v1/namespaces/shop": NAMESPACE, "/api/v1/nodes": {"items": []}}
    with api_server(documents, tmp_path) as doctor:
        found = doctor.findings("--namespace", "shop", "--values", little, "--values", values)
        strict = doctor.run("--namespace", "shop", "--values", little, "--values", values, "--strict")
    assert found["Kubernetes", "nodes-serving-pods"]["state"] == "warning"
    assert strict.returncode == 7
    assert "gaps, warnings or unknown" in strict.stderr


def test_wrong_values_end_with_2_before_the_cluster_is_asked(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("serving: {deploymentMode: Raw}\n")
    done = Doctor(tmp_path / "no-kubeconfig.yaml").run("--namespace", "shop", "--values", wrong)
    assert done.returncode == 2
    assert "serving.deploymentMode" in done.stderr


def test_no_kubeconfig_ends_with_5(little: Path, tmp_path: Path) -> None:
    done = Doctor(tmp_path / "no-kubeconfig.yaml").run("--namespace", "shop", "--values", little)
    assert done.returncode == 5
    assert "KUBECONFIG" in done.stderr


def test_what_answers_and_is_no_api_server_ends_with_5(little: Path, tmp_path: Path) -> None:
    with api_server({}, tmp_path) as doctor:
        done = doctor.run("--namespace", "shop", "--values", little)
    assert done.returncode == 5
    assert done.stdout == ""
