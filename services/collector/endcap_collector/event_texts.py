"""A body taken apart into the texts of its events, or of its items."""

from collections.abc import Iterator
from itertools import islice

from endcap.events.acceptance.json_text import BrokenJson, is_one_value, split_lines, split_list

JSON_MEDIA = "application/json"
TEXT_MEDIA = "text/plain"
"""What `navigator.sendBeacon` sends without asking first: any of the three forms."""

LINES_MEDIA = ("application/x-ndjson", "application/ndjson", "application/jsonl")
MEDIA_TYPES = (JSON_MEDIA, *LINES_MEDIA, TEXT_MEDIA)


class TooManyEvents(Exception):
    """The request has more events than one may have."""


def event_texts(text: str, media: str, most: int) -> list[str]:
    """One text an event, in the order of the request: of a JSON object, a JSON list, or NDJSON.

    Args:
        text: the body.
        media: one of `MEDIA_TYPES`.
        most: events of one request.

    Raises:
        BrokenJson: the body cannot be taken apart, or holds nothing.
        TooManyEvents: it holds more.
    """
    texts = list(islice(_split(text, media), most + 1))
    if len(texts) > most:
        raise TooManyEvents
    if not texts:
        raise BrokenJson("there is nothing in it")
    return texts


def _split(text: str, media: str) -> Iterator[str]:
    if media in LINES_MEDIA:
        return split_lines(text)
    if text.lstrip(" \t\r\n").startswith("["):
        return split_list(text)
    return iter([text]) if media == JSON_MEDIA or is_one_value(text) else split_lines(text)
