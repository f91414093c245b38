"""Probe: what stands in the topic of events that nobody did, sent to see that events arrive."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.moment import UtcMoment
from endcap.contracts.reserved_id import reserved_id

PROBE = "probe"
"""In place of an event's type. It is none of `EventType`: nothing that lists what customers do has it, and nobody can send it."""

ONLINE_ID = reserved_id(PROBE)
"""The probe's `session_id` in the online store."""


class Probe(BaseModel):
    """One probe. Its fields are an event's, so that it goes the way of events; it says nothing of anybody."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event_id: UUID = Field(description="Names the probe.")
    event_type: Literal["probe"] = Field("probe", description="That it is one.")
    schema_version: Literal[1] = Field(1, description="Version of the contract of events.")
    occurred_at: UtcMoment = Field(description="When it was made, UTC.")
    received_at: UtcMoment = Field(description="The same.")
    session_id: str = Field(min_length=1, max_length=128, description="The collector that made it; the key of its messages.")
    consent: Literal[False] = Field(False, description="Nothing is learned from it.")
    consent_analytics: Literal[False] = Field(False, description="The same.")
