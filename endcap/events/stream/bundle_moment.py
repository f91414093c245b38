"""The moment that a bundle answers as of, where its data were recorded long ago."""

from datetime import datetime, timedelta
from typing import Literal

from endcap.core.settings import resolve_replay


def moved_by(replay_at: datetime | Literal["auto", "now"], data_end: datetime, present: datetime) -> timedelta:
    """By how much rows are moved back, so that what a person does now is of now to the bundle; 0 where that answers as of now.

    Args:
        replay_at: the setting `replay_at`.
        data_end: of the bundle's data, UTC.
        present: UTC.
    """
    answers_at = resolve_replay(replay_at, data_end, present)
    return timedelta(0) if answers_at is None else present - answers_at
