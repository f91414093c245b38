"""A Kubeflow Pipelines API for tests, strict: each request is held against the published API before it is answered as the real one does.

What it keeps is pipelines, versions, experiments and runs by namespace; runs end as the test says. A gateway before a multi-user server
knows people by their tokens.
"""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.pipelines.kfp_server.packages import Package, read_package
from tests.pipelines.kfp_server.published_api import Operation, find_operation, published_answer
from tests.pipelines.kfp_server.published_models import Refused, check_document


class Status(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


@dataclass(frozen=True)
class Request:
    """A request that fits the published API."""

    operation: Operation
    path: dict[str, str]
    query: dict[str, str]
    body: Any
    file: str | None
    token: str | None


@dataclass
class Pipelines:
    """The server's state, and what a test wants of it.

    Attributes:
        people: namespaces that a token's owner may use, by token; None for a single-user server without a gateway.
        states: of a run, one a look; the last one stays.
        failing_step: named in a run that failed.
        refused: status by operation, given once.
        lost_answers: operations that are done but answered with 409, as when two people do the same at once.
        login_page: whether a login page answers everybody without a token.
        outages: looks at a run that are answered with 503 first.
    """

    people: dict[str, list[str]] | None = None
    states: list[str] = field(default_factory=lambda: ["SUCCEEDED"])
    failing_step: str = "train-ranker"
    refused: dict[str, int] = field(default_factory=dict)
    lost_answers: set[str] = field(default_factory=set)
    login_page: bool = False
    outages: int = 0
    requests: list[Request] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    pipelines: dict[str, tuple[str, str]] = field(default_factory=dict)
    versions: dict[str, tuple[str, str, Package]] = field(default_factory=dict)
    experiments: dict[str, tuple[str, str]] = field(default_factory=dict)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)

    def named(self, operation: str) -> list[Request]:
        return [request for request in self.requests if request.operation.name == operation]

    def answer(self, request: Request) -> Any:
        """The document of the answer.

        Raises:
            Status: the answer is no success.
        """
        name = request.operation.name
        self.requests.append(request)
        if code := self.refused.pop(name, None):
            raise Status(code, "not today")
        answer = getattr(self, f"_{name}", None)
        if answer is None:
            raise Status(501, f"{name} is not in this server")
        document = answer(request)
        if name in self.lost_answers:
            self.lost_answers.discard(name)
            raise Status(409, "already exists")
        return document

    def _namespace(self, request: Request, given: str | None) -> str:
        """The namespace that a request works in, if whoever asks may use it."""
        if self.people is None:
            if given:
                raise Status(400, "in single-user mode, namespace must be empty")
            return ""
        if not given:
            raise Status(400, "in multi-user mode, namespace must be given")
        if given not in self.people[str(request.token)]:
            raise Status(403, f"User is not authorized to access namespace {given}")
        return given

    def _healthz_service_get_healthz(self, _request: Request) -> Any:
        return published_answer("V2beta1GetHealthzResponse", multi_user=self.people is not None)

    def _pipeline_service_list_pipelines(self, request: Request) -> Any:
        wanted, namespace = _filtered(request), self._namespace(request, request.query.get("namespace"))
        found = [self._pipeline(each) for each, (name, where) in self.pipelines.items() if (name, where) == (wanted, namespace)]
        return published_answer("V2beta1ListPipelinesResponse", pipelines=found or None, total_size=len(found))

    def _pipeline_service_create_pipeline(self, request: Request) -> Any:
        namespace = self._namespace(request, request.body.get("namespace"))
        name = request.body.get("display_name") or request.body.get("name")
        if not name:
            raise Status(400, "pipeline's name is empty")
        if (name, namespace) in self.pipelines.values():
            raise Status(409, f"pipeline {name} already exists")
        identity = f"pipeline-{len(self.pipelines)}"
        self.pipelines[identity] = (name, namespace)
        return self._pipeline(identity)

    def _pipeline(self, identity: str) -> Any:
        name, namespace = self.pipelines[identity]
        return published_answer("V2beta1Pipeline", pipeline_id=identity, display_name=name, name=name, namespace=namespace)

    def _pipeline_service_list_pipeline_versions(self, request: Request) -> Any:
        pipeline = request.path["pipeline_id"]
        self._owned_pipeline(request, pipeline)
        wanted = _filtered(request) if "filter" in request.query else None
        found = [self._version(each) for each, (name, of, _) in self.versions.items() if of == pipeline and wanted in {None, name}]
        if request.query.get("sort_by") == "created_at desc":
            found.reverse()
        page = found[: int(request.query.get("page_size", "20"))]
        return published_answer("V2beta1ListPipelineVersionsResponse", pipeline_versions=page or None, total_size=len(found))

    def _upload_pipeline_version(self, request: Request) -> Any:
        name, pipeline = request.query.get("name"), request.query.get("pipelineid", "")
        self._owned_pipeline(request, pipeline)
        package = read_package(str(request.file))
        if not name:
            raise Status(400, "a version needs a name")
        if any((name, pipeline) == (known, of) for known, of, _ in self.versions.values()):
            raise Status(409, f"version {name} already exists")
        identity = f"version-{len(self.versions)}"
        self.versions[identity] = (name, pipeline, package)
        return self._version(identity)

    def _owned_pipeline(self, request: Request, pipeline: str) -> None:
        if pipeline not in self.pipelines:
            raise Status(404, f"pipeline {pipeline} not found")
        self._namespace(request, self.pipelines[pipeline][1] or None)

    def _version(self, identity: str) -> Any:
        name, pipeline, _ = self.versions[identity]
        return published_answer("V2beta1PipelineVersion", pipeline_id=pipeline, pipeline_version_id=identity, display_name=name, name=name)

    def _experiment_service_list_experiments(self, request: Request) -> Any:
        wanted, namespace = _filtered(request), self._namespace(request, request.query.get("namespace"))
        found = [self._experiment(each) for each, (name, where) in self.experiments.items() if (name, where) == (wanted, namespace)]
        return published_answer("V2beta1ListExperimentsResponse", experiments=found or None, total_size=len(found))

    def _experiment_service_create_experiment(self, request: Request) -> Any:
        namespace, name = self._namespace(request, request.body.get("namespace")), request.body.get("display_name")
        if not name:
            raise Status(400, "experiment's name is empty")
        if (name, namespace) in self.experiments.values():
            raise Status(409, f"experiment {name} already exists")
        identity = f"experiment-{len(self.experiments)}"
        self.experiments[identity] = (name, namespace)
        return self._experiment(identity)

    def _experiment(self, identity: str) -> Any:
        name, namespace = self.experiments[identity]
        return published_answer("V2beta1Experiment", experiment_id=identity, display_name=name, namespace=namespace)

    def _run_service_create_run(self, request: Request) -> Any:
        body = request.body
        reference = body.get("pipeline_version_reference", {})
        known = self.versions.get(reference.get("pipeline_version_id", ""))
        if not body.get("display_name"):
            raise Status(400, "run's name is empty")
        if known is None or known[1] != reference.get("pipeline_id"):
            raise Status(404, f"pipeline version {reference} not found")
        if body.get("experiment_id") not in self.experiments:
            raise Status(404, "experiment not found")
        self._namespace(request, self.experiments[body["experiment_id"]][1] or None)
        known[2].check_parameters(body.get("runtime_config", {}).get("parameters", {}))
        identity = f"run-{len(self.runs)}"
        self.runs[identity] = body
        return published_answer("V2beta1Run", run_id=identity, display_name=body["display_name"], state="PENDING")

    def _run_service_get_run(self, request: Request) -> Any:
        if self.outages:
            self.outages -= 1
            raise Status(503, "being upgraded")
        identity = request.path["run_id"]
        if identity not in self.runs:
            raise Status(404, f"run {identity} not found")
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        tasks = [published_answer("V2beta1PipelineTaskDetail", display_name=each, state="FAILED") for each in ("root", self.failing_step)]
        details = published_answer("V2beta1RunDetails", task_details=tasks) if state == "FAILED" else None
        return published_answer("V2beta1Run", run_id=identity, state=state, run_details=details)


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise Refused(f"no JSON: {error}") from error


def _filtered(request: Request) -> str:
    """The display name that a list is filtered by; nothing else is asked for here."""
    document = _json(request.query.get("filter", ""))
    check_document(document, "V2beta1Filter", "filter")
    (predicate,) = document["predicates"]
    if (predicate["operation"], predicate["key"]) != ("EQUALS", "display_name"):
        raise Status(501, "other filters are not in this server")
    return str(predicate["string_value"])


@contextmanager
def serving(pipelines: Pipelines, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The server's address, on a free port of loopback, until the block ends."""
    handler = type("Handler", (_Handler,), {"pipelines": pipelines})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    pipelines: Pipelines

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
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
            document = _json(body)
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
