"""HTTP/1.1 by hand: whatever bytes a test wants to send, one connection a request, an answer or a clear failure."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TIMEOUT_S = 10.0
V1 = "/v1/models/endcap:predict"
V2 = "/v2/models/endcap/infer"
JSON = (("content-type", "application/json"),)

Headers = Sequence[tuple[str, str | bytes]]


class NotAccepted(OSError):
    """Nothing listens, or the connection was closed without one byte of an answer."""


@dataclass(frozen=True)
class Reply:
    """An answer as it came, and how long it took from the connection on."""

    status: int
    headers: dict[str, str]
    body: bytes
    took_s: float

    def json(self) -> Any:
        return json.loads(self.body)


def post(path: str, body: bytes, headers: Headers = JSON) -> bytes:
    """A request's bytes; headers that name a length keep theirs."""
    lines = [f"POST {path} HTTP/1.1".encode(), b"host: 127.0.0.1", b"connection: close"]
    if not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in headers):
        lines.append(b"content-length: %d" % len(body))
    lines += [name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()) for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def predict(*instances: dict[str, Any]) -> bytes:
    """A V1 predict call."""
    return post(V1, json.dumps({"instances": instances}).encode())


async def exchange(port: int, request: bytes, timeout_s: float = TIMEOUT_S) -> Reply:
    """Send a request and read its answer.

    Raises:
        NotAccepted: nobody took it.
        TimeoutError: no whole answer came in time.
    """
    async with asyncio.timeout(timeout_s):
        return await _exchange(port, request)


async def _exchange(port: int, request: bytes) -> Reply:
    start = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError as error:
        raise NotAccepted(str(error)) from error
    try:
        writer.write(request)
        received = await _received(reader)
    finally:
        writer.close()
    head, _, body = received.partition(b"\r\n\r\n")
    status, _, rest = head.partition(b"\r\n")
    headers = dict(line.lower().split(": ", 1) for line in rest.decode("latin-1").split("\r\n") if ": " in line)
    assert int(headers.get("content-length", len(body))) == len(body), f"an answer was cut off: {received!r}"
    return Reply(int(status.split()[1]), headers, body, time.perf_counter() - start)


async def _received(reader: asyncio.StreamReader) -> bytes:
    received = b""
    try:
        while part := await reader.read(1 << 16):
            received += part
    except ConnectionError as error:
        if not received:
            raise NotAccepted(str(error)) from error
    if not received:
        raise NotAccepted("closed without an answer")
    return received
