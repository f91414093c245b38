"""Ten thousand random and hostile requests: no failure of the server, no trace of its insides, no hang, no growth."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc
import grpc.aio
import httpx
import pytest
import requests
import schemathesis
from schemathesis import GenerationMode, checks

from endcap.contracts.openapi import openapi_document
from tests.faults import hostile
from tests.faults.deployment import Deployment
from tests.faults.raw_http import TIMEOUT_S, Reply, exchange

pytestmark = [pytest.mark.faults, pytest.mark.timeout(580)]

V1_DRAWN, V2_DRAWN, V2_BINARY_DRAWN, GRPC_DRAWN = 1_350, 500, 200, 400
MUTANTS = 3
"""Copies of each drawn request with other bytes; drawing costs more than answering."""
SCHEMA_REQUESTS = 200
AT_ONCE = 6
"""Few enough that hardly one is turned away for overload: those would test nothing."""
GROWTH_MAX_MIB = 200
PROMISES = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
INFER = "/inference.GRPCInferenceService/ModelInfer"

TENSOR = {"name": "user_id", "shape": [1], "datatype": "BYTES", "data": ["U1"]}
HALF = "\ud800"
"""Half a character: JSON can say it, UTF-8 cannot."""

T = TypeVar("T")


@contextmanager
def surviving(deployment: Deployment) -> Iterator[None]:
    """Afterwards it is the same process, not much larger, sound, and has counted no failure of its own."""
    process = deployment.transformer.psutil()
    before, failed_before = process.memory_info().rss, failures(deployment)
    yield
    assert deployment.transformer.code() is None, deployment.transformer.written()[-3000:]
    assert deployment.transformer.psutil().pid == process.pid
    grown_mib = (process.memory_info().rss - before) / 2**20
    assert grown_mib < GROWTH_MAX_MIB, f"grew by {grown_mib:.0f} MiB"
    deployment.wait_until_sound()
    assert failures(deployment) == failed_before
    assert "Traceback" not in deployment.transformer.written()


def failures(deployment: Deployment) -> float:
    return sum(deployment.metric("endcap_failed_total", protocol=protocol) for protocol in ("http", "grpc"))


async def side_by_side(each: Sequence[T], send: Callable[[T], Awaitable[str | None]]) -> list[tuple[T, str]]:
    """What was wrong with the answers to some requests."""
    waiting, wrong = iter(each), []

    async def worker() -> None:
        for request in waiting:
            try:
                complaint = await send(request)
            except TimeoutError:
                complaint = "no answer in time"
            if complaint:
                wrong.append((request, complaint))

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    return wrong


def wrong_with(reply: Reply) -> str | None:
    if reply.status >= 500 or reply.status not in (200, 400, 404, 405, 413, 415, 422, 429):
        return f"status {reply.status}: {reply.body[:500]!r}"
    if b"Traceback" in reply.body or b'File "' in reply.body:
        return f"the server's insides: {reply.body[:500]!r}"
    if reply.headers.get("content-type", "").startswith("application/json"):
        try:
            answer = json.loads(reply.body, parse_constant=lambda name: pytest.fail(f"{name} in an answer"))
        except ValueError:
            return f"no JSON: {reply.body[:500]!r}"
        if reply.status == 200 and (complaint := empty(answer)):
            return complaint
        if reply.status != 200 and set(answer) != {"error"}:
            return f"another kind of error: {reply.body[:500]!r}"
    return None


def empty(answer: Any) -> str | None:
    """A list without items, which only the request itself can ask for; those are looked at one by one below."""
    for each in answer.get("predictions", []):
        if not each["recommendations"]:
            return "empty"
    return None


def failing(wrong: list[tuple[Any, str]]) -> str:
    kinds = Counter(complaint[:60] for _, complaint in wrong)
    shown = "\n".join(f"{complaint}\n   to {request[:1500]!r}" for request, complaint in wrong[:6])
    return f"{len(wrong)} wrong: {dict(kinds)}\n{shown}"


@pytest.mark.parametrize(
    ("strategy", "count"),
    [
        pytest.param(hostile.v1_requests, V1_DRAWN, id="v1"),
        pytest.param(hostile.v2_json_requests, V2_DRAWN, id="v2"),
        pytest.param(hostile.v2_binary_requests, V2_BINARY_DRAWN, id="v2-binary"),
    ],
)
def test_anything_over_http(deployment: Deployment, strategy: Any, count: int) -> None:
    statuses: Counter[int] = Counter()

    async def send(request: bytes) -> str | None:
        try:
            reply = await exchange(deployment.http_port, request)
        except OSError as error:
            return repr(error)
        statuses[reply.status] += 1
        complaint = wrong_with(reply)
        return None if complaint == "empty" and excludes_everything(request) else complaint

    drawn = hostile.with_mutants(hostile.drawn(strategy, count), MUTANTS)
    with surviving(deployment):
        wrong = asyncio.run(side_by_side(drawn, send))
        assert not wrong, failing(wrong)
    assert statuses[200] >= 0.05 * count, statuses
    assert statuses[400] >= 0.1 * count, statuses
    assert statuses[429] <= 0.05 * count, statuses


def excludes_everything(request: bytes) -> bool:
    """Whether filters of the request may leave nothing: then its list may be empty."""
    body = request.partition(b"\r\n\r\n")[2]
    return any(instance.get("filters") or len(instance.get("item_ids", ())) for instance in json.loads(body)["instances"])


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"inputs": [TENSOR], "id": HALF}, id="id"),
        pytest.param({"inputs": [TENSOR | {"name": HALF}]}, id="name"),
        pytest.param({"inputs": [TENSOR | {"datatype": HALF}]}, id="datatype"),
        pytest.param({"inputs": [TENSOR | {"data": [HALF]}]}, id="data"),
        pytest.param({"inputs": [TENSOR], "outputs": [{"name": HALF}]}, id="output"),
        pytest.param({"inputs": [TENSOR], "parameters": {HALF: HALF}}, id="parameters"),
        pytest.param({"inputs": [TENSOR], HALF: HALF}, id="field"),
        pytest.param({"inputs": HALF}, id="inputs"),
    ],
)
def test_half_a_character_is_no_failure(deployment: Deployment, body: dict[str, Any]) -> None:
    with surviving(deployment):
        reply = asyncio.run(exchange(deployment.http_port, hostile.post(hostile.V2, hostile.written(body))))
        assert wrong_with(reply) is None


def test_anything_over_grpc(deployment: Deployment) -> None:
    codes: Counter[str] = Counter()
    allowed = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.RESOURCE_EXHAUSTED}

    async def run() -> list[tuple[bytes, str]]:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{deployment.grpc_port}") as channel:
            call = channel.unary_unary(INFER)

            async def send(request: bytes) -> str | None:
                try:
                    await call(request, timeout=TIMEOUT_S)
                except grpc.aio.AioRpcError as error:
                    codes[error.code().name] += 1
                    details = error.details() or ""
                    unread = error.code() is grpc.StatusCode.UNKNOWN and "DecodeError" in details  # the gRPC library's own answer
                    wrong = (error.code() not in allowed and not unread) or "Traceback" in details
                    return f"{error.code().name}: {details[:500]}" if wrong else None
                codes["OK"] += 1
                return None

            return await side_by_side(hostile.with_mutants(hostile.drawn(hostile.grpc_bytes, GRPC_DRAWN), MUTANTS), send)

    with surviving(deployment):
        wrong = asyncio.run(run())
        assert not wrong, failing(wrong)
    assert codes["OK"] >= 0.1 * GRPC_DRAWN, codes
    assert codes["INVALID_ARGUMENT"] >= 0.1 * GRPC_DRAWN, codes


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 64,
        b"POST /v1/models/endcap:predict HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n{}",
        b"POST /v1/models/endcap:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 9" + b"9" * 30 + b"\r\n\r\n{}",
        b"POST /v1/models/endcap:predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n",
        b"POST /v1/models/endcap:predict HTTP/9.9\r\nhost: x\r\n\r\n",
        b"POST /v1/models/endcap%00:predict HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
        b"POST /v1/models/../../endcap:predict HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}",
        b"DELETE /v1/models/endcap:predict HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
    ],
)
def test_odd_http_is_no_failure(deployment: Deployment, request_bytes: bytes) -> None:
    with surviving(deployment):
        reply = asyncio.run(exchange(deployment.http_port, request_bytes))
    assert reply.status < 500, reply
    assert b"Traceback" not in reply.body


def test_request_that_never_ends_holds_nobody_up(deployment: Deployment) -> None:
    async def run() -> None:
        half = b"POST /v1/models/endcap:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\n{"
        writers = [(await asyncio.open_connection("127.0.0.1", deployment.http_port))[1] for _ in range(100)]
        for writer in writers:
            writer.write(half)
        replies = [await exchange(deployment.http_port, hostile.post(hostile.V1, b'{"instances": [{"user_id": "U1"}]}')) for _ in range(3)]
        for writer in writers:
            writer.close()
        assert [reply.status for reply in replies] == [200] * 3

    with surviving(deployment):
        asyncio.run(run())


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_document_is_kept(deployment: Deployment, mode: GenerationMode) -> None:
    """Schemathesis asks whatever the OpenAPI document allows, and what it does not; the answers are what it promises."""
    operation = schemathesis.openapi.from_dict(openapi_document())["/v1/models/endcap:predict"]["POST"]
    with surviving(deployment), requests.Session() as session:
        for case in hostile.drawn(operation.as_strategy(mode), SCHEMA_REQUESTS // 2):
            response = case.call(base_url=deployment.url, session=session, timeout=TIMEOUT_S)
            case.validate_response(response, checks=PROMISES)
            assert response.status_code == 200 or mode is GenerationMode.NEGATIVE or is_more_than_the_document_says(response), response.text


def test_document_is_served(deployment: Deployment) -> None:
    assert httpx.get(f"{deployment.url}/openapi.json", timeout=TIMEOUT_S).json() == openapi_document()


def is_more_than_the_document_says(response: Any) -> bool:
    """What a schema cannot say: the configured surfaces, zones of times, two prices in order, and that 4.0 is no whole number."""
    reasons = ("surface", "time", "price_min is above", "must be a whole number", "too many requests")
    return response.status_code in (400, 429) and any(reason in response.text for reason in reasons)
