"""HTTP/1.1 as cheap as it gets: request bytes prepared before, kept-alive connections, answers read after the stretch is over."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_HEADER_END = b"\r\n\r\n"


@dataclass(frozen=True)
class RawAnswer:
    """Status, header and body as they came."""

    status: int
    header: bytes
    body: bytes


class HttpConnections:
    """Sends prepared requests, each over a connection of its own while it lasts.

    Args:
        port: on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[_Connection] = []

    async def open(self, connections: int) -> None:
        """Connect ahead, so that a stretch does not start with handshakes."""
        self._idle = list(await asyncio.gather(*(self._connected() for _ in range(connections))))

    async def send(self, request: bytes) -> RawAnswer:
        """
        Raises:
            OSError: no connection, or it broke before the whole answer was there.
        """
        connection = self._kept() or await self._connected()
        answer = await connection.ask(request)
        if connection.is_open:
            self._idle.append(connection)
        return answer

    async def close(self) -> None:
        for connection in self._idle:
            connection.close()

    def _kept(self) -> "_Connection | None":
        """One that the server has not closed meanwhile, as it does with those that nobody uses for a while."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        return None

    async def _connected(self) -> "_Connection":
        _, connection = await asyncio.get_running_loop().create_connection(_Connection, "127.0.0.1", self._port)
        return connection


class HttpSender(HttpConnections):
    """Asks for predictions.

    Args:
        port: on 127.0.0.1.
        model: the model's name.
    """

    def __init__(self, port: int, model: str) -> None:
        super().__init__(port)
        self._path = f"/v1/models/{model}:predict"

    def prepared(self, instance: dict[str, Any]) -> bytes:
        return post(self._path, "application/json", json.dumps({"instances": [instance]}).encode())


def post(path: str, media_type: str, body: bytes) -> bytes:
    """The bytes of one request."""
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: {media_type}\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self) -> None:
        self.is_open = True
        self._received = bytearray()
        self._end = -1
        self._waiter: asyncio.Future[RawAnswer] | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def eof_received(self) -> None:
        self.is_open = False

    def ask(self, request: bytes) -> "asyncio.Future[RawAnswer]":
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return self._waiter

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._end < 0:
            self._end = _length(self._received)
        if 0 <= self._end <= len(self._received) and self._waiter and not self._waiter.done():
            self._waiter.set_result(_answer(bytes(self._received)))
            self._received.clear()
            self._end = -1

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        if self._waiter and not self._waiter.done():
            self._waiter.set_exception(error or ConnectionResetError("closed before the answer was there"))

    def close(self) -> None:
        self._transport.close()


def _length(received: bytearray) -> int:
    """Bytes of header and body, -1 while the header is not whole."""
    head = received.find(_HEADER_END)
    if head < 0:
        return -1
    for line in bytes(received[:head]).lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return head + len(_HEADER_END) + int(line[15:])
    raise ConnectionError("the answer names no content-length")


def _answer(received: bytes) -> RawAnswer:
    head, _, body = received.partition(_HEADER_END)
    return RawAnswer(int(received[9:12]), head, body)


def raw_lists(answer: RawAnswer) -> Sequence[dict[str, Any]]:
    """The answers of a V1 response."""
    lists: list[dict[str, Any]] = json.loads(answer.body)["predictions"]
    return lists
