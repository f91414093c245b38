"""A shop's web server: pages with the module, and a path of its own behind which the collector lies."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

MODULE = Path(__file__).parents[3] / "clients" / "javascript"
OWN_PATH = "/collect"
ELSEWHERE = "/elsewhere"
_TYPES = {".js": "text/javascript", ".html": "text/html; charset=utf-8"}


@dataclass
class Shop:
    """The server.

    Attributes:
        port: on 127.0.0.1; `localhost` with the same port is another origin.
        collector: endpoint behind `OWN_PATH`.
        pages: HTML by path.
        instead: answers that `OWN_PATH` gives before it asks the collector, the next one first: a status and headers.
        received: bodies that came to `OWN_PATH`.
        asked: paths of questions that browsers asked first (CORS); none is answered.
    """

    port: int
    collector: str = ""
    pages: dict[str, str] = field(default_factory=dict)
    instead: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def other_origin(self) -> str:
        return f"http://localhost:{self.port}"

    def page(self, path: str, options: Mapping[str, Any], body: str = "", script: str = "") -> str:
        """Put up a page whose client is `window.endcap`; its address."""
        self.pages[path] = f"""<!doctype html><title>Shop</title><link rel="icon" href="data:,"><body>{body}
<script type="module">
import {{EndcapClient}} from "/src/endcap.js";
window.refused = [];
window.endcap = new EndcapClient({{...{json.dumps(options)}, onRefused: (event, refusal) => window.refused.push([event, refusal])}});
{script}
</script>"""
        return f"{self.address}{path}"

    def file(self, path: str) -> tuple[bytes, str] | None:
        """What is at a path, and its media type."""
        if path in self.pages:
            return self.pages[path].encode(), _TYPES[".html"]
        file = (MODULE / path.removeprefix("/")).resolve()
        if file.is_relative_to(MODULE) and file.is_file():
            return file.read_bytes(), _TYPES.get(file.suffix, "text/plain")
        return None

    def collect(self, body: bytes, query: str, headers: Mapping[str, str]) -> tuple[int, bytes, Mapping[str, str]]:
        """What a proxy in front of the collector answers."""
        self.received.append(body.decode())
        if self.instead:
            status, said = self.instead.pop(0)
            return status, b"{}", said
        passed = {name: headers[name] for name in ("content-type", "origin") if name in headers}
        answer = httpx.post(f"{self.collector}?{query}", content=body, headers=passed, trust_env=False)
        return answer.status_code, answer.content, {}


def _handler(shop: Shop) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            found = shop.file(urlsplit(self.path).path)
            body, media = found or (b"nothing here", "text/plain")
            self._answer(200 if found else 404, body, {"content-type": media})

        def do_POST(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            if address.path == OWN_PATH:
                self._answer(*shop.collect(body, address.query, self.headers))
            else:
                self._answer(404, b"nothing here", {})

        def do_OPTIONS(self) -> None:
            shop.asked.append(self.path)
            self._answer(405, b"", {})

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The test's own output is enough."""

    return Handler


@contextmanager
def running_shop() -> Iterator[Shop]:
    """A shop whose server answers until the end."""
    shop = Shop(0, pages={ELSEWHERE: "<title>Elsewhere</title>"})
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(shop))
    server.daemon_threads = True
    shop.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
