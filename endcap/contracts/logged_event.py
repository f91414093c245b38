"""What the topic of events holds: what customers did and saw, and probes of the way there."""

from enum import StrEnum
from typing import Self

from pydantic import Field, model_validator

from endcap.contracts.event import Event, require_fields
from endcap.contracts.event_type import EventType
from endcap.contracts.probe import PROBE

LoggedType = StrEnum("LoggedType", [*((kind.name, kind.value) for kind in EventType), ("PROBE", PROBE)])  # type: ignore[misc]
"""Types of events, and the probe's mark."""


class LoggedEvent(Event):
    """One event as the topic has it, schema version 1. Readers pass over the type `probe`: nobody did it."""

    event_type: LoggedType = Field(  # type: ignore[assignment]
        description="What happened; `probe` for what the collector sent to see that events arrive."
    )

    @model_validator(mode="after")
    def _fields_fit_type(self) -> Self:
        if self.event_type != PROBE:
            require_fields(self)
        return self
