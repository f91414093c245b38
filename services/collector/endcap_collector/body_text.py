"""A body's bytes as text, by what its media type says."""

from collections.abc import Sequence

from endcap.core.http.body import BrokenBody
from endcap.core.http.refusals import RequestRefused


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
