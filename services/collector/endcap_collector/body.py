"""A request's body: read up to a limit and within a time, unpacked up to the same limit."""

import asyncio
import zlib
from collections.abc import Sequence

from starlette.requests import Request

from endcap_collector.refusals import RequestRefused

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


async def read_body(request: Request, max_bytes: int, seconds: float) -> bytes:
    """The body as it came.

    Raises:
        RequestRefused: it is too long, or took too long to come.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > max_bytes:
        raise LongBody(max_bytes)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                chunks.append(chunk)
                size += len(chunk)
                if size > max_bytes:
                    raise LongBody(max_bytes, b"".join(chunks))
    except TimeoutError:
        raise RequestRefused(408, f"body: did not come within {seconds:g} seconds", is_last=True) from None
    return b"".join(chunks)


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
            raise RequestRefused(415, "content-encoding: gzip or none")


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


def text_of(body: bytes, content_type: str, media_types: Sequence[str]) -> tuple[str, str]:
    """The body as text, and its media type in small letters.

    Raises:
        RequestRefused: the media type or its character set is none that is taken.
        BrokenBody: it is no UTF-8.
    """
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    if media not in media_types:
        raise RequestRefused(415, f"content-type: one of {', '.join(media_types)}")
    charset = next((part.partition("=")[2].strip('"') for part in parameters if part.startswith("charset=")), "utf-8")
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise RequestRefused(415, "content-type: the charset is UTF-8")
    try:
        return body.decode("utf-8"), media
    except UnicodeDecodeError as error:
        raise BrokenBody(f"no UTF-8 at byte {error.start}") from None
