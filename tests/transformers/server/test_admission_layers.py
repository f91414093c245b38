"""When a request counts as arrived."""

import asyncio
import time
from functools import partial
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send

from endcap.core.ports import free_ports
from endcap_transformer.server.admission_layers import TimedHttp, arrival
from endcap_transformer.server.http_layers import send_answer
from endcap_transformer.server.whole_body import WholeBody

BODY = b'{"instances": [{}]}'


class Seen:
    """Notes when a request's head has come, and what is said of its arrival when its body is whole."""

    def __init__(self) -> None:
        self.head = asyncio.Event()
        self.before: list[float | None] = []
        self.after: list[float | None] = []
        self._whole = WholeBody(self._answer, 1_000, 60)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.before.append(arrival(scope))
        self.head.set()
        await self._whole(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.after.append(arrival(scope))
        await send_answer(send, 200, b"{}")


async def test_a_request_has_arrived_when_its_last_byte_was_read() -> None:
    (port,) = free_ports(1)
    seen = Seen()
    http: Any = partial(TimedHttp, head_seconds=60, body_seconds=60)
    config = uvicorn.Config(seen, port=port, http=http, lifespan="off", log_config=None, access_log=False)
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    halves = []
    for _ in range(2):
        seen.head.clear()
        writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY[:5])
        await seen.head.wait()
        halves.append(time.monotonic())
        writer.write(BODY[5:])
        assert (await reader.readuntil(b"{}")).startswith(b"HTTP/1.1 200")
    writer.close()
    await server.shutdown()
    assert seen.before == [None, None]
    for half, arrived in zip(halves, seen.after, strict=True):
        assert arrived is not None
        assert half <= arrived <= time.monotonic()
