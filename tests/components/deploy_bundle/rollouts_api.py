"""The part of a Kubernetes API server that a deployment talks to: the Rollouts of one namespace, each held against the definition."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from endcap.contracts.rollout import GROUP, KIND, PLURAL, VERSION, RolloutSpec
from tests.served_http import served

TOKEN = "of-the-pipeline"


@dataclass
class RolloutsApi:
    """What is there, by name.

    Attributes:
        namespace: the only one that whoever asks may look into.
        forbidden: whether creating is refused.
    """

    namespace: str = "shop"
    forbidden: bool = False
    rollouts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/apis/{GROUP}/{VERSION}/namespaces/{self.namespace}/{PLURAL}"

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, dict[str, Any]]:
        name = path.removeprefix(f"{self.path}/")
        if method == "GET" and name in self.rollouts:
            return 200, self.rollouts[name]
        if method == "GET" and path.startswith(self.path):
            return 404, {"kind": "Status", "message": f'rollouts.endcap.dev "{name}" not found'}
        if method == "POST" and path == self.path:
            return self._create(json.loads(body))
        return 403, {"kind": "Status", "message": f"{method} {path} is not allowed"}

    def _create(self, document: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.forbidden:
            return 403, {"kind": "Status", "message": "rollouts.endcap.dev is forbidden"}
        name = document["metadata"]["name"]
        if (document["apiVersion"], document["kind"]) != (f"{GROUP}/{VERSION}", KIND) or name in self.rollouts:
            return 409, {"kind": "Status", "message": f"{name} cannot be made"}
        RolloutSpec.model_validate(document["spec"])
        self.rollouts[name] = document
        return 201, document


@contextmanager
def serving(api: RolloutsApi, folder: Path) -> Iterator[Path]:
    """The server on a free port of loopback; its kubeconfig."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.handle_with(b"")

        def do_POST(self) -> None:
            self.handle_with(self.rfile.read(int(self.headers["content-length"])))

        def handle_with(self, body: bytes) -> None:
            known = self.headers.get("authorization") == f"Bearer {TOKEN}"
            status, document = api.answer(self.command, self.path.split("?")[0], body) if known else (401, {"message": "who are you?"})
            payload = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield kubeconfig(folder / "kubeconfig", f"http://127.0.0.1:{server.server_address[1]}", api.namespace)


def kubeconfig(path: Path, server: str, namespace: str) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": {"server": server}}],
        "users": [{"name": "pipeline", "user": {"token": TOKEN}}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "pipeline", "namespace": namespace}}],
        "current-context": "tests",
    }
    path.write_text(yaml.safe_dump(document))
    return path
