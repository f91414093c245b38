"""Since when the stream knows what happened: what is counted of times before is not whole."""

from datetime import datetime
from pathlib import Path

from endcap.contracts.moment import utc_text
from endcap.core.clock import Clock
from endcap.core.files import replace_text
from endcap.core.settings import Settings
from endcap.events.log.reader import log_began

_FILE = "began.txt"
"""Beside the state, so that it goes with it."""


def log_beginning(settings: Settings, state_dir: Path, clock: Clock) -> datetime:
    """When the event log begins, UTC.

    Of Kafka it is the moment of the stream's first start on its state: a topic may hold more, but not for certain all of it.

    Args:
        settings: all settings.
        state_dir: of the runner whose state it is.
        clock: the present, UTC.

    Raises:
        OSError: the disk refused.
        ValueError: the file is damaged; remove it.
    """
    if not settings.events.kafka_bootstrap:
        return log_began(settings.event_log_dir) or clock()
    file = state_dir / _FILE
    if not file.exists():
        replace_text(file, utc_text(clock()) + "\n")
    return datetime.fromisoformat(file.read_text(encoding="utf-8").strip())
