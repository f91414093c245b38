"""One HTTP request and its answer on a connection of its own: all that pods, gateway and clients of the tests say to each other."""

import asyncio
import contextlib
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"


class ExchangeFailed(Exception):
    """There was no whole answer; `kind` is `refused`, `cut off` or `timeout`."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class Answer:
    status: int
    body: str


async def get(port: int, path: str, within_s: float) -> Answer:
    """GET from a port of loopback.

    Raises:
        ExchangeFailed: no connection, one that ended early, or no answer in time.
    """
    try:
        async with asyncio.timeout(within_s):
            return await _exchange(port, path)
    except TimeoutError as error:
        raise ExchangeFailed("timeout") from error


async def read_path(reader: asyncio.StreamReader) -> str | None:
    """Path of the request; None when the client went away."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return head.split(b" ", 2)[1].decode()


async def answer(writer: asyncio.StreamWriter, status: int, body: str) -> None:
    """Send the answer and close."""
    content = body.encode()
    head = f"HTTP/1.1 {status} -\r\nContent-Type: text/plain\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    with contextlib.suppress(ConnectionError):
        writer.write(head.encode() + content)
        await writer.drain()
        writer.close()
        await writer.wait_closed()


async def _exchange(port: int, path: str) -> Answer:
    try:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError as error:
        raise ExchangeFailed("refused") from error
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
    except ConnectionError as error:
        raise ExchangeFailed("cut off") from error
    finally:
        writer.close()
    length = next((int(line.partition(b":")[2]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), None)
    if length != len(body):
        raise ExchangeFailed("cut off")
    return Answer(int(head.split(b" ", 2)[1]), body.decode())
