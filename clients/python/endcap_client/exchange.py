"""One request to the collector and what its answer means, apart from how it is sent."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from endcap_client.errors import InvalidSetting
from endcap_client.event import moment_text

_AGAIN = (408, 429)
"""Refusals of the moment, not of what was sent."""


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """An event that the collector does not take; it keeps it as a dead letter.

    Attributes:
        event: as it was sent.
        kind: of what is wrong; `request` where the request was refused as a whole.
        field: at fault; None for the whole event.
        reason: what to send instead.
    """

    event: Mapping[str, Any]
    kind: str
    field: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Nothing of the request has to be sent again."""

    accepted: int
    duplicates: int
    refused: tuple[RefusedEvent, ...]


@dataclass(frozen=True, slots=True)
class Later:
    """All of it has to be sent again, after so many seconds at the earliest."""

    after_s: float


@dataclass(frozen=True, slots=True)
class TooLong:
    """Fewer events have to go at once."""


Outcome = Answered | Later | TooLong


def require_address(endpoint: str, field: str) -> str:
    """The address of a server, as it was given.

    Raises:
        InvalidSetting: it is none.
    """
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidSetting(
            "is no http address", field=field, value=endpoint, fix="give one such as https://events.shop.example/v1/events"
        )
    return endpoint


def body_of(lines: Sequence[str], sent_at: datetime) -> bytes:
    """The packed body: an event a line, each with when it was sent, UTC."""
    ending = f',"sent_at":"{moment_text(sent_at)}"}}\n'
    return gzip.compress("".join(line[:-1] + ending for line in lines).encode(), compresslevel=5)


def headers_of(key: str | None) -> dict[str, str]:
    """The headers beside it."""
    packed = {"content-type": "application/x-ndjson", "content-encoding": "gzip"}
    return packed | ({"authorization": f"Bearer {key}"} if key else {})


def outcome_of(status: int, retry_after: str | None, body: bytes, lines: Sequence[str]) -> Outcome:
    """What an answer means.

    Args:
        status: of the answer.
        retry_after: the header.
        body: of the answer.
        lines: what was sent.
    """
    document = _document(body)
    if "refused" in document:
        return Answered(document["accepted"], document["duplicates"], tuple(_refused(each, lines) for each in document["refused"]))
    if status == 413 and len(lines) > 1:
        return TooLong()
    if 400 <= status < 500 and status not in _AGAIN:
        reason = str(document.get("error", f"status {status}"))
        return Answered(0, 0, tuple(RefusedEvent(json.loads(line), "request", None, reason) for line in lines))
    # Also a 200 that is no collector's: something between answered in its place.
    return Later(_seconds(retry_after))


def _refused(said: Mapping[str, Any], lines: Sequence[str]) -> RefusedEvent:
    return RefusedEvent(json.loads(lines[said["index"]]), said["kind"], said.get("field"), said["reason"])


def _document(body: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {}


def _seconds(retry_after: str | None) -> float:
    """Of the header; a date, which the collector never says, counts as nothing."""
    return float(retry_after) if retry_after is not None and retry_after.strip().isdecimal() else 0.0
