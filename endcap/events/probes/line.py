"""A probe as a line of the event log."""

from datetime import datetime
from random import Random
from uuid import UUID

from pydantic import ValidationError

from endcap.contracts.probe import PROBE, Probe

_MARK = f'"event_type":"{PROBE}"'.encode()


def probe_line(collector: str, now: datetime, random: Random) -> str:
    """A line, ended.

    Args:
        collector: names the one that makes it.
        now: UTC.
        random: of its id.
    """
    event_id = UUID(int=random.getrandbits(128), version=4)
    return f"{Probe(event_id=event_id, occurred_at=now, received_at=now, session_id=collector).model_dump_json()}\n"


def is_probe(line: bytes) -> bool:
    """Whether a line that the collector wrote is a probe. Quotes within texts are escaped, so that no field's value looks like the mark."""
    return _MARK in line


def made_at(line: bytes) -> datetime | None:
    """When a probe was made, UTC; None of a line that looks like one and is none, as a damaged disk may have it."""
    try:
        return Probe.model_validate_json(line).occurred_at
    except ValidationError:
        return None
