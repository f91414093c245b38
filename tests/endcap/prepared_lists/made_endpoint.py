"""A predict endpoint that answers each person with items of their own, and does once what it is told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class MadeEndpoint(ThreadingHTTPServer):
    """Attributes:
    troubles: statuses that the next requests get instead of an answer, in turn.
    degraded: ids of people whose first list has a stage that fell back.
    asked: headers and people of each request.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.troubles: list[int] = []
        self.degraded: set[str] = set()
        self.asked: list[tuple[dict[str, str], list[dict[str, Any]]]] = []
        self.refuses: str | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, headers: dict[str, str], instances: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            if self.troubles:
                return self.troubles.pop(0), {"error": "not now"}
            self.asked.append((headers, instances))
            if self.refuses is not None:
                return 400, {"error": self.refuses}
            return 200, {"predictions": [self.one(place, each, headers["x-request-id"]) for place, each in enumerate(instances, start=1)]}

    def one(self, place: int, instance: dict[str, Any], request_id: str) -> dict[str, Any]:
        person = instance["user_id"]
        degraded = ["rank"] if person in self.degraded else []
        self.degraded.discard(person)
        items = [
            {"item_id": f"{person}:{n}", "score": 1 / n, "source": "ease", "reason": "r", "position": n, "title": "t", "propensity": 0.5}
            for n in range(1, instance["k"] + 1)
        ]
        return {
            "recommendations": items,
            "request_id": f"{request_id}-{place}",
            "bundle": "endcap-5",
            "variant": "default",
            "degraded": degraded,
            "ignored": [],
            "timings_ms": {"total": 1.0},
        }


class Handler(BaseHTTPRequestHandler):
    server: MadeEndpoint

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        status, document = self.server.answer({name.lower(): value for name, value in self.headers.items()}, body["instances"])
        content = json.dumps(document).encode()
        self.send_response(status)
        if status in {429, 503}:
            self.send_header("retry-after", "7")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None: ...
