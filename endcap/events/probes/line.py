"""A probe as a line of the event log."""

import re
from datetime import datetime
from random import Random
from uuid import UUID

from endcap.contracts.probe import PROBE, Probe

_MARK = f'"event_type":"{PROBE}"'.encode()
_MADE = re.compile(rb'"occurred_at":"([^"\\]+)"')


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


def made_at(line: bytes) -> datetime:
    """When a probe was made, UTC."""
    found = _MADE.search(line)
    assert found is not None  # noqa: S101 - it is a line of `probe_line`
    return datetime.fromisoformat(found[1].decode())
