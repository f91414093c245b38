"""A request's body: read up to a limit and within a time, unpacked up to the same limit."""

import asyncio
import zlib
from collections.abc import AsyncIterable, Mapping
from contextlib import nullcontext

from endcap.core.http.refusals import RequestRefused

DRAINED_BYTES = 8 * 1024 * 1024
"""What is read beyond the limit and thrown away. A sender that still writes would see a reset connection in place of the refusal."""
ENCODINGS = "gzip"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


class BrokenBody(Exception):
    """The body cannot be unpacked or is no UTF-8; the message says why."""


class LongBody(RequestRefused):
    """The body has more bytes than one may have.

    Attributes:
        beginning: of what came.
    """

    def __init__(self, max_bytes: int, beginning: bytes = b"") -> None:
        super().__init__(413, f"body: at most {max_bytes} bytes, unpacked", is_last=True)
        self.beginning = beginning


async def read_body(chunks: AsyncIterable[bytes], headers: Mapping[str, str], max_bytes: int, seconds: float | None) -> bytes:
    """The body as it came.

    A body over the limit is refused when its sender has written it, or `DRAINED_BYTES` more than it may: before, the refusal would not be
    read. A sender that waits for a 100 (Continue) has written nothing and is refused at once.

    Args:
        chunks: of the body, as they come.
        headers: of the request; names in small letters.
        max_bytes: longest body.
        seconds: longest time it may take to come; None for a body that is there already, which needs no timer.

    Raises:
        RequestRefused: it is too long, or took too long to come.
    """
    if _announced(headers) > max_bytes and headers.get("expect", "").lower() == "100-continue":
        raise LongBody(max_bytes)
    kept: list[bytes] = []
    size = 0
    try:
        async with nullcontext() if seconds is None else asyncio.timeout(seconds):
            async for chunk in chunks:
                if size <= max_bytes:
                    kept.append(chunk)
                size += len(chunk)
                if size > max_bytes + DRAINED_BYTES:
                    break
    except TimeoutError:
        if seconds is None:
            raise
        if size <= max_bytes:
            raise RequestRefused(408, f"body: did not come within {seconds:g} seconds", is_last=True) from None
    if size > max_bytes:
        raise LongBody(max_bytes, b"".join(kept))
    return b"".join(kept)


def _announced(headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length[:20]) if length.isascii() and length.isdecimal() else 0


def unpacked(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """The body without its content encoding; never more than a byte over the limit is made.

    Args:
        body: as it came.
        encoding: the header's value, empty for none.
        max_bytes: longest body.

    Raises:
        RequestRefused: the encoding is none that is taken, or the body is too long.
        BrokenBody: it is no gzip.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _inflated(body, max_bytes)
        case _:
            raise RequestRefused(415, f"content-encoding: {ENCODINGS} or none", more={"accept-encoding": ENCODINGS})


def _inflated(body: bytes, max_bytes: int) -> bytes:
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        plain = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        raise BrokenBody("the body is no gzip") from None
    if len(plain) > max_bytes:
        raise LongBody(max_bytes, plain)
    if not stream.eof:
        raise BrokenBody("the gzip breaks off")
    if stream.unused_data:
        raise BrokenBody("something follows the gzip")
    return plain
