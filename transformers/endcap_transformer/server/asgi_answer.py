"""A finished answer over ASGI: status, headers and the whole body at once."""

from collections.abc import Iterable

from starlette.types import Send

JSON_MEDIA = b"application/json"

Header = tuple[bytes, bytes]


async def send_answer(send: Send, status: int, body: bytes, more: Iterable[Header] = (), media: bytes = JSON_MEDIA) -> None:
    """Send an answer and its length.

    Args:
        send: where it goes.
        status: of HTTP.
        body: all of it.
        more: further headers.
        media: what the body is.
    """
    headers = [(b"content-type", media), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
