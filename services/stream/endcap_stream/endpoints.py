"""`/healthz`, `/readyz` and `/metrics`, in a thread beside the loop."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from endcap.core.errors import DependencyUnavailable

_WAIT_SECONDS = 10.0
"""For a request's line; who does not send one is let go of."""


@contextmanager
def serving(host: str, port: int, registry: CollectorRegistry, is_ready: Callable[[], bool]) -> Iterator[None]:
    """Answer until the block ends.

    Args:
        host: address to listen on.
        port: of it.
        registry: what `/metrics` shows.
        is_ready: what `/readyz` says.

    Raises:
        DependencyUnavailable: the port is in use.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = _WAIT_SECONDS

        def do_GET(self) -> None:
            match self.path.partition("?")[0]:
                case "/healthz":
                    self._answer(200, "application/json", json.dumps({"live": True}).encode())
                case "/readyz":
                    ready = is_ready()
                    self._answer(200 if ready else 503, "application/json", json.dumps({"ready": ready}).encode())
                case "/metrics":
                    self._answer(200, CONTENT_TYPE_PLAIN_0_0_4, generate_latest(registry))
                case _:
                    self._answer(404, "application/json", b'{"error": "there is nothing at this path"}')

        def log_message(self, format: str, *args: object) -> None:
            """Nobody asks who scraped."""

        def _answer(self, status: int, media_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        raise DependencyUnavailable(
            f"cannot listen on {host}:{port}: {error.strerror}", field="ENDCAP_STREAM__PORT", fix="stop what listens there, or set another"
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="endpoints", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
