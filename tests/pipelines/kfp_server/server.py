"""A Kubeflow Pipelines API for tests, strict: each request is held against the published API before it is answered as the real one does."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.pipelines.kfp_server.published_api import find_operation
from tests.pipelines.kfp_server.published_models import Refused, check_document
from tests.pipelines.kfp_server.request import Request, Status, json_of
from tests.pipelines.kfp_server.state import Pipelines
from tests.served_http import served


@contextmanager
def serving(pipelines: Pipelines, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The server's address, on a free port of loopback, until the block ends."""
    handler = type("Handler", (_Handler,), {"pipelines": pipelines})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with served(server):
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    pipelines: Pipelines

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        token = (self.headers.get("authorization") or "").removeprefix("Bearer ") or None
        try:
            if self.pipelines.login_page and token is None:
                self._reply(200, b"<html>Log in</html>", "text/html")
                return
            self._let_in(token)
            document = self.pipelines.answer(self._checked(body, token))
            self._reply(200, json.dumps(document).encode(), "application/json")
        except Refused as error:
            self.pipelines.violations.append(f"{self.command} {self.path}: {error}")
            self._reply(400, json.dumps({"code": 3, "message": str(error)}).encode(), "application/json")
        except Status as error:
            self._reply(error.code, json.dumps({"code": error.code, "message": error.message}).encode(), "application/json")

    def _let_in(self, token: str | None) -> None:
        if self.pipelines.people is not None and token not in self.pipelines.people:
            raise Status(401, "Request header error: there is no user identity header")

    def _checked(self, body: bytes, token: str | None) -> Request:
        """The request, held against the published operation of its method and path."""
        address = urlsplit(self.path)
        found = find_operation(self.command, address.path)
        if found is None:
            raise Refused("no such operation is published")
        operation, path = found
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        if unknown := set(query) - operation.query:
            raise Refused(f"{operation.name} has no query parameter {sorted(unknown)}")
        document, file = None, None
        if operation.body is not None:
            if not body and operation.required_body:
                raise Refused(f"{operation.name} needs a body")
            document = json_of(body)
            check_document(document, operation.body)
        elif operation.file is not None:
            file = self._file(operation.file, body)
        elif body:
            raise Refused(f"{operation.name} takes no body")
        return Request(operation, path, query, document, file, token)

    def _file(self, name: str, body: bytes) -> str:
        message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + self.headers["content-type"].encode() + b"\r\n\r\n" + body)
        parts = {part.get_param("name", header="content-disposition"): part for part in message.iter_parts()}
        if set(parts) != {name}:
            raise Refused(f"the form must have the one field {name}, not {sorted(map(str, parts))}")
        if not str(parts[name].get_filename()).endswith((".yaml", ".yml")):
            raise Refused(f"the server reads a file by its ending, not {parts[name].get_filename()}")
        return str(parts[name].get_payload(decode=True).decode())

    def _reply(self, code: int, payload: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: Any) -> None:
        """Quiet."""
