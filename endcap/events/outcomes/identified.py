"""Events of a visit that names its user once, at the log-in: whose they are from then on, and what that user was shown elsewhere."""

from dataclasses import dataclass, field
from datetime import timedelta

import polars as pl

from endcap.contracts.event_type import EventType
from endcap.events.outcomes.attribution import TOUCH_SCHEMA, paired, values
from endcap.events.outcomes.places import MOMENT
from endcap.events.outcomes.retention import due_to_expire
from endcap.events.outcomes.windows import CLICKS, Windows
from endcap.events.stream.function import KEY, Instant, Step

IDENTIFIED_SCHEMA = pl.Schema(
    {
        "event_id": pl.String(),
        "event_type": pl.String(),
        "user_id": pl.String(),
        "item_id": pl.String(),
        "request_id": pl.String(),
        "moment": MOMENT,
        "value": pl.Float64(),
        "currency": pl.String(),
        "consent": pl.Boolean(),
    }
)
"""A row an event without a user id that followed an identity event of its visit; `user_id` is the identity's."""

_IS_IDENTITY = pl.col("event_type") == EventType.IDENTITY.value
_FOLLOWS = [kind.value for kind in CLICKS]


@dataclass(frozen=True, slots=True)
class IdentifiedEvents:
    """What a visit's events are of whom, from each identity on and forward only; the key is the session.

    Attributes:
        windows: an identity is known as long as an impression waits for what follows.
    """

    windows: Windows = field(default_factory=Windows)

    @property
    def name(self) -> str:
        return "identified"

    @property
    def state_schema(self) -> pl.Schema:
        return pl.Schema({KEY: pl.String(), **IDENTIFIED_SCHEMA})

    @property
    def row_schema(self) -> pl.Schema:
        return IDENTIFIED_SCHEMA

    @property
    def row_key(self) -> tuple[str, ...]:
        return ("event_id",)

    def keyed(self, events: pl.DataFrame) -> pl.DataFrame:
        anonymous = pl.col("event_type").is_in(_FOLLOWS) & pl.col("user_id").is_null() & pl.col("item_id").is_not_null()
        concerned = events.filter(anonymous | (_IS_IDENTITY & pl.col("user_id").is_not_null()))
        return concerned.with_columns(pl.col("session_id").alias(KEY))

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:
        came = events.with_columns(pl.col("occurred_at").alias("moment"), *values()).select(self.state_schema.names())
        known = pl.concat([state.select(self.state_schema.names()), came])
        # An event waits for identities that come late; an identity for all events after it.
        expires_at = pl.col("moment") + pl.when(_IS_IDENTITY).then(pl.lit(self.windows.longest)).otherwise(pl.duration())
        kept = known.filter(expires_at >= at.watermark)
        due = due_to_expire(kept, expires_at + pl.duration(microseconds=1), at)
        concerned = known.join(came.select(KEY).unique(), on=KEY, how="semi")
        return Step(kept, _with_user(concerned, self.windows.longest).select(IDENTIFIED_SCHEMA.names()), due)


def _with_user(known: pl.DataFrame, known_for: timedelta) -> pl.DataFrame:
    """Events with the user of the newest identity up to them, not before it; of several at once the last by event id."""
    identities = known.filter(_IS_IDENTITY).sort("moment", "event_id").select(KEY, "moment", "user_id", since="moment")
    identities = identities.unique([KEY, "moment"], keep="last", maintain_order=True)
    acts = known.filter(~_IS_IDENTITY).drop("user_id").sort("moment")
    return acts.join_asof(identities, on="moment", by=KEY, strategy="backward", tolerance=known_for).filter(pl.col("user_id").is_not_null())


def touches_of_identified(identified: pl.DataFrame, places: pl.DataFrame, windows: Windows) -> pl.DataFrame:
    """Rows of TOUCH_SCHEMA: impressions of the user that an identified event could be the outcome of.

    Args:
        identified: rows of IDENTIFIED_SCHEMA.
        places: rows of PLACE_SCHEMA; those without a user id are left out.
        windows: how long after the impression an event counts.
    """
    shown = places.filter(pl.col("user_id").is_not_null()).select("user_id", "item_id", "request_id", "position", "shown_at")
    events = identified.rename({"request_id": "named", "moment": "followed_at"})
    return paired(events, shown, ["user_id", "item_id"], windows).select(TOUCH_SCHEMA.names())
