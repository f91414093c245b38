"""Senders that begin and never end, over real connections."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from endcap.core.http.deadlined_http import HEAD_MAX_BYTES, DeadlinedHttp
from endcap.core.ports import free_ports

SOON_S = 0.1
LATER_S = 60.0
WITHIN_S = 20.0
BIG = b"POST /big HTTP/1.1\r\nhost: x\r\ncontent-length: 100000\r\n\r\n"


async def at_once(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers the path, without a look at the body."""
    body = scope["path"].encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


async def body_length(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers how long the body was."""
    size, more = 0, True
    while more:
        message = await receive()
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    await at_once({**scope, "path": str(size)}, receive, send)


class OnDemand:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        await self.may_answer.wait()
        await at_once(scope, receive, send)


Connect = Callable[[], Any]


@asynccontextmanager
async def serving(app: Any, *, head_s: float = LATER_S, body_s: float = LATER_S, idle_s: float = LATER_S) -> AsyncIterator[Connect]:
    """Connections to a server of an application."""
    (port,) = free_ports(1)
    http: Any = partial(DeadlinedHttp, head_seconds=head_s, body_seconds=body_s)
    config = uvicorn.Config(app, port=port, http=http, lifespan="off", log_config=None, timeout_keep_alive=idle_s, access_log=False)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield partial(asyncio.open_connection, "127.0.0.1", port)
    finally:
        await server.shutdown()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the connection is closed."""
    async with asyncio.timeout(WITHIN_S):
        return await reader.read()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """One answer's body."""
    async with asyncio.timeout(WITHIN_S):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        return await reader.readexactly(length)


@pytest.mark.parametrize("half", [b"P", b"POST / HTTP/1.1", b"GET / HTTP/1.1\r\nhost: x\r\nx-a: ", b"\r\n\r\nGET"])
async def test_half_a_head_is_answered_by_a_refusal(half: bytes) -> None:
    async with serving(at_once, head_s=SOON_S) as connect:
        reader, writer = await connect()
        writer.write(half)
        received = await rest(reader)
        assert received.startswith(b"HTTP/1.1 408 ")
        assert received.endswith(b'{"error":"head: did not come within 0.1 seconds"}')
        writer.close()


async def test_half_a_head_after_an_answer_is_refused_too() -> None:
    async with serving(at_once, head_s=SOON_S) as connect:
        reader, writer = await connect()
        writer.write(b"GET /one HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await answer(reader) == b"/one"
        writer.write(b"GET /two HT")
        assert (await rest(reader)).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_a_head_without_end_is_refused_and_the_refusal_is_read_by_who_still_sends() -> None:
    async with serving(at_once) as connect:
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\n")
        for _ in range(20):
            writer.write(b"x-filler: %s\r\n" % (b"y" * (HEAD_MAX_BYTES // 4)))
            await writer.drain()
        assert (await rest(reader)).startswith(b"HTTP/1.1 431 ")
        writer.close()


@pytest.mark.parametrize("size", [1, HEAD_MAX_BYTES // 2])
async def test_a_long_body_before_the_next_head_is_no_part_of_it(size: int) -> None:
    async with serving(body_length) as connect:
        reader, writer = await connect()
        writer.write(
            b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 200000\r\n\r\n" + b"x" * 200_000 + b"GET / HTTP/1.1\r\nx: " + b"y" * size
        )
        assert await answer(reader) == b"200000"
        writer.write(b"\r\n\r\n")
        assert await answer(reader) == b"0"
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
async def test_a_connection_without_a_request_is_closed(sent: bytes) -> None:
    async with serving(at_once, idle_s=SOON_S) as connect:
        reader, writer = await connect()
        writer.write(sent)
        assert await rest(reader) == b""
        writer.close()


@pytest.mark.parametrize(
    ("length", "later", "deadline"),
    [
        (100_000, b"x", {"body_s": SOON_S}),
        (5, b"12345", {"idle_s": SOON_S}),
    ],
)
async def test_an_answered_request_does_not_keep_its_connection_for_ever(length: int, later: bytes, deadline: dict[str, float]) -> None:
    async with serving(at_once, **deadline) as connect:
        reader, writer = await connect()
        writer.write(b"POST /early HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % length)
        assert await answer(reader) == b"/early"
        writer.write(later)
        assert await rest(reader) == b""
        writer.close()


async def test_a_body_in_work_is_the_applications_to_wait_for() -> None:
    async with serving(body_length, head_s=SOON_S, body_s=0.01) as connect:
        reader, writer = await connect()
        writer.write(BIG)
        for _ in range(10):
            writer.write(b"x" * 10_000)
            await asyncio.sleep(0.01)
        assert await answer(reader) == b"100000"
        writer.close()


async def test_half_a_head_behind_a_request_in_work_does_not_spoil_its_answer() -> None:
    app = OnDemand()
    async with serving(app, head_s=0.01) as connect:
        reader, writer = await connect()
        writer.write(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\nGET /ha")
        await app.asked.wait()
        await asyncio.sleep(0.05)
        app.may_answer.set()
        assert await answer(reader) == b"/slow"
        assert (await rest(reader)).startswith(b"HTTP/1.1 408 ")
        writer.close()


async def test_requests_in_one_packet_are_answered_in_order() -> None:
    async with serving(body_length, head_s=SOON_S, body_s=SOON_S) as connect:
        reader, writer = await connect()
        writer.write(b"".join(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (n, b"x" * n) for n in (3, 1, 2)))
        assert [await answer(reader) for _ in range(3)] == [b"3", b"1", b"2"]
        writer.close()


async def test_a_sender_that_goes_leaves_no_timer_behind() -> None:
    async with serving(at_once, head_s=SOON_S) as connect:
        for sent in (b"", b"GET / HT", BIG + b"x"):
            _, writer = await connect()
            writer.write(sent)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        reader, writer = await connect()
        writer.write(b"GET /after HTTP/1.1\r\nhost: x\r\n\r\n")
        assert await answer(reader) == b"/after"
        writer.close()
