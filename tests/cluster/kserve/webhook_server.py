"""An HTTPS server on loopback that answers admission reviews; the API server beside it asks."""

import base64
import json
import shutil
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.cluster.control_plane.credentials import Credentials

LOOPBACK = "127.0.0.1"
IDLE_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Verdict:
    """The answer to one review.

    Attributes:
        refusal: why the object is refused, None where it is not.
        changed: the object as it shall be stored, None to leave it as it is.
    """

    refusal: str | None = None
    changed: dict[str, Any] | None = None


Review = Callable[[dict[str, Any]], Verdict]
"""Judges a review's `request`."""


@dataclass
class WebhookServer:
    """Serves from `start` to `stop`, each connection in a thread of its own.

    Attributes:
        reviews: by the path they are asked at, which begins with a slash.
        authority: certificate of who has signed its own, once it is started.
    """

    reviews: Mapping[str, Review]
    authority: bytes = field(default=b"", init=False)
    _folder: Path | None = field(default=None, init=False)
    _server: ThreadingHTTPServer | None = field(default=None, init=False)

    def start(self) -> None:
        """Return when it accepts connections."""
        self._folder = Path(tempfile.mkdtemp(prefix="kserve-webhooks-"))
        keys = Credentials(self._folder / "keys", datetime.now(UTC))
        self.authority = keys.authority.read_bytes()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*keys.issue("kserve-webhook-server"))
        server = _Server((LOOPBACK, 0), _handler(self.reviews))
        # The handshake belongs to the connection's thread: in the accepting one a slow client would keep all others waiting.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        self._server = server
        threading.Thread(target=server.serve_forever, name="kserve-webhooks", daemon=True).start()

    def url(self, path: str) -> str:
        assert self._server is not None
        return f"https://{LOOPBACK}:{self._server.server_address[1]}{path}"

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is nothing to print; errors of reviews are answers."""


def _handler(reviews: Mapping[str, Review]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = IDLE_TIMEOUT_S
        disable_nagle_algorithm = True  # headers and body are two writes: the second would wait for an acknowledgement

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
            try:
                response = _response(request, reviews[self.path.partition("?")[0]](request))
            except Exception as error:  # as a webhook that fails: with failurePolicy Fail the object is refused, and the message says why
                response = {"uid": request["uid"], "allowed": False, "status": {"code": 500, "message": f"stand-in: {error!r}"}}
            answer = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Nothing: pytest shows what tests need to know."""

    return Handler


def _response(request: dict[str, Any], verdict: Verdict) -> dict[str, Any]:
    if verdict.refusal is not None:
        return {"uid": request["uid"], "allowed": False, "status": {"code": 403, "reason": "Forbidden", "message": verdict.refusal}}
    response: dict[str, Any] = {"uid": request["uid"], "allowed": True}
    if verdict.changed is not None and verdict.changed != request["object"]:
        present, changed = request["object"], verdict.changed
        patch = [{"op": "add", "path": f"/{each}", "value": changed[each]} for each in changed if changed[each] != present.get(each)]
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patch).encode()).decode()}
    return response
