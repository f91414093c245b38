"""Bodies as they come: packed, too long, too slow, broken off."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from endcap_transformer.server.whole_body import WholeBody
from tests.transformers.server.shop import BODY_SECONDS, INFER, PREDICT, V2_BODY


@pytest.mark.parametrize(("path", "body"), [(PREDICT, {"instances": [{"k": 2}]}), (INFER, V2_BODY)])
@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "identity"])
async def test_packed_requests_are_answered(client: httpx.AsyncClient, path: str, body: Any, encoding: str) -> None:
    plain = json.dumps(body).encode()
    content = plain if encoding == "identity" else gzip.compress(plain)
    response = await client.post(path, content=content, headers={"content-type": "application/json", "content-encoding": encoding})
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("path", [PREDICT, INFER])
@pytest.mark.parametrize(
    ("content", "encoding", "status", "message"),
    [
        (b"{}", "gzip", 400, "body: the body is no gzip"),
        (gzip.compress(b"{}", mtime=0)[:-4], "gzip", 400, "body: the gzip breaks off"),
        (gzip.compress(bytes(2**26), mtime=0), "gzip", 413, "body: at most 1048576 bytes, unpacked"),
        (b"{}", "br", 415, "content-encoding: gzip or none"),
        (b"x" * 1_048_577, "identity", 413, "body: at most 1048576 bytes, unpacked"),
    ],
)
async def test_a_body_that_cannot_be_unpacked_is_refused_by_name(  # noqa: PLR0917
    client: httpx.AsyncClient, path: str, content: bytes, encoding: str, status: int, message: str
) -> None:
    response = await client.post(path, content=content, headers={"content-encoding": encoding})
    assert (response.status_code, response.json()) == (status, {"error": message})
    assert response.headers.get("accept-encoding") == ("gzip" if status == 415 else None)


async def test_a_body_that_never_ends_is_given_up(client: httpx.AsyncClient) -> None:
    async def half() -> AsyncIterator[bytes]:
        yield b'{"instances"'
        await asyncio.Event().wait()

    response = await client.post(PREDICT, content=half())
    assert (response.status_code, response.headers["connection"]) == (408, "close")
    assert response.json() == {"error": f"body: did not come within {BODY_SECONDS} seconds"}


async def test_a_sender_that_goes_in_the_middle_is_not_taken_for_a_whole_request() -> None:
    asked = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope)

    messages = [{"type": "http.request", "body": b'{"instances": [{}]}', "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        asked.append(message)

    await WholeBody(app, 1_000, 10)({"type": "http", "method": "POST", "path": PREDICT, "headers": []}, receive, send)
    assert asked == []
