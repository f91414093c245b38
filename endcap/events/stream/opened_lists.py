"""Opened lists: mails whose opening names the list that they show."""

from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from endcap.contracts.event_type import EventType
from endcap.events.outcomes.retention import due_to_expire
from endcap.events.stream.columns import MOMENT
from endcap.events.stream.function import KEY, Instant, Step

OPENED_LISTS = "opened_lists"

OPENED_SCHEMA = pl.Schema(
    {
        "request_id": pl.String(),
        "event_id": pl.String(),
        "occurred_at": MOMENT,
        "user_id": pl.String(),
        "session_id": pl.String(),
        "device": pl.String(),
        "consent": pl.Boolean(),
        "consent_analytics": pl.Boolean(),
    }
)
"""A row a list: its first opening."""

_REMEMBERED = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class OpenedLists:
    """The first opening of each list; the key is the request's id.

    Attributes:
        remembered: how long a list that is opened again counts as opened already.
    """

    remembered: timedelta = field(default=_REMEMBERED)

    @property
    def name(self) -> str:
        return OPENED_LISTS

    @property
    def state_schema(self) -> pl.Schema:
        return pl.Schema({KEY: pl.String(), **OPENED_SCHEMA})

    @property
    def row_schema(self) -> pl.Schema:
        return OPENED_SCHEMA

    @property
    def row_key(self) -> tuple[str, ...]:
        return ("request_id",)

    def keyed(self, events: pl.DataFrame) -> pl.DataFrame:
        opened = events.filter(pl.col("event_type") == EventType.MAIL_OPEN.value, pl.col("request_id").is_not_null())
        return opened.with_columns(pl.col("request_id").alias(KEY))

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:
        columns = self.state_schema.names()
        openings = pl.concat([state.select(columns), events.select(columns)]).sort("occurred_at", "event_id")
        first = openings.unique(KEY, keep="first", maintain_order=True)
        said = first.join(events.select("event_id"), on="event_id", how="semi").select(OPENED_SCHEMA.names())
        expires_at = pl.col("occurred_at") + self.remembered
        kept = first.filter(expires_at >= at.watermark)
        return Step(kept, said, due_to_expire(kept, expires_at + pl.duration(microseconds=1), at))
