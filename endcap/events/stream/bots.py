"""Which visits are no person's, by rule: too fast, pages without end and no dwell, or a device that says so."""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from endcap.contracts.event_type import EventType
from endcap.core.settings import StreamSettings
from endcap.events.stream.columns import MOMENT
from endcap.events.stream.function import DUE_AT, KEY, Instant, Step

PAGE_EVENTS = (
    *(EventType.PAGE_VIEW, EventType.PRODUCT_VIEW, EventType.SEARCH, EventType.FILTER, EventType.CLICK, EventType.DWELL),
    *(EventType.ADD_TO_CART, EventType.REMOVE_FROM_CART, EventType.ADD_TO_WISH_LIST, EventType.REMOVE_FROM_WISH_LIST),
)
"""What a person does one by one. Lists come as an event a place, receipts as an event a line: their rate says nothing."""

_DEVICE = r"(?i)(?:bot\b|crawler|spider|headless|scraper)"
_MINUTE_US = 60_000_000
_OF_VISIT = -1
"""In place of a minute: the row of the whole visit."""

_QUIET = timedelta(minutes=30)
"""A visit that is quiet for longer than this and the watermark is judged anew."""


@dataclass(frozen=True, slots=True)
class BotRules:
    """Limits of what a person does.

    Attributes:
        events_a_minute: most events of pages in a minute by the events' own time.
        views_without_dwell: most product views in a row without a dwell event.
    """

    events_a_minute: int = 240
    views_without_dwell: int = 1_000

    @classmethod
    def of(cls, settings: StreamSettings) -> "BotRules":
        """As the settings have them."""
        return cls(settings.bot_events_a_minute, settings.bot_views_without_dwell)


class Bots:
    """Judges visits as their events arrive: from the event on that breaks a rule, a visit is a bot's. Has a state, as a stream function.

    Args:
        rules: limits.
    """

    name = "bots"
    state_schema = pl.Schema(
        {KEY: pl.String(), "minute": pl.Int64(), "events": pl.Int64(), "views": pl.Int64(), "is_bot": pl.Boolean(), "last_at": MOMENT}
    )

    def __init__(self, rules: BotRules) -> None:
        self._rules = rules

    def judge(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> tuple[pl.Series, Step]:
        """Which events are bots'.

        Args:
            state: rows of the visits that have events, or are due.
            events: in the order of arrival, columns of the contract `Event`.
            at: where the stream stands.

        Returns:
            bool [n], and the state after these events.
        """
        rates = state.lazy().filter(pl.col("minute") != _OF_VISIT)
        visits = state.lazy().filter(pl.col("minute") == _OF_VISIT)
        judged = self._judged(rates, visits, events.lazy()).collect()
        after, due = pl.collect_all(self._after(rates, visits, judged.lazy(), at))
        return judged["is_bot"], Step(after, pl.DataFrame(), due)

    def _judged(self, rates: pl.LazyFrame, visits: pl.LazyFrame, events: pl.LazyFrame) -> pl.LazyFrame:
        """[n]: `key`, `minute`, `at`, `events` (of the minute so far), `views` (since the last dwell) and `is_bot`, in the same order."""
        kind = pl.col("event_type")
        told = events.select(
            pl.col("session_id").alias(KEY),
            pl.col("occurred_at").alias("at"),
            pl.col("occurred_at").dt.epoch("us").floordiv(_MINUTE_US).alias("minute"),
            kind.is_in([each.value for each in PAGE_EVENTS]).cast(pl.Int64).alias("counts"),
            (kind == EventType.PRODUCT_VIEW).cast(pl.Int64).alias("view"),
            (kind == EventType.DWELL).cast(pl.Int64).cum_sum().over("session_id").alias("dwells"),
            pl.col("device").str.contains(_DEVICE).fill_null(False).alias("says_so"),
        )
        told = told.join(rates.select(KEY, "minute", "events"), on=[KEY, "minute"], how="left", maintain_order="left")
        told = told.join(visits.select(KEY, "views", "is_bot"), on=KEY, how="left", maintain_order="left")
        told = told.with_columns(
            pl.col("events").fill_null(0) + pl.col("counts").cum_sum().over(KEY, "minute"),
            pl.when(pl.col("dwells") == 0).then(pl.col("views").fill_null(0)).otherwise(0) + pl.col("view").cum_sum().over(KEY, "dwells"),
        )
        breaks = (
            pl.col("says_so")
            | (pl.col("events") > self._rules.events_a_minute)
            | (pl.col("views") > self._rules.views_without_dwell)
            | pl.col("is_bot").fill_null(False)
        )
        return told.with_columns(is_bot=breaks.cast(pl.Int8).cum_max().over(KEY).cast(pl.Boolean))

    def _after(self, rates: pl.LazyFrame, visits: pl.LazyFrame, judged: pl.LazyFrame, at: Instant) -> list[pl.LazyFrame]:
        """The state, and when each visit is due."""
        last = judged.select(KEY, "views", "is_bot", last_at="at")
        of_visit = pl.concat([visits.select(KEY, "views", "is_bot", "last_at"), last]).group_by(KEY, maintain_order=True)
        kept = of_visit.agg(pl.col("views").last(), pl.col("is_bot").any(), pl.col("last_at").max())
        kept = kept.filter(pl.col("last_at") + _QUIET >= at.watermark)
        counted = pl.concat([rates.select(KEY, "minute", "events"), judged.select(KEY, "minute", "events")])
        first = int(at.watermark.timestamp() * 1_000_000) // _MINUTE_US
        minutes = counted.group_by(KEY, "minute", maintain_order=True).agg(pl.col("events").max()).filter(pl.col("minute") >= first)
        minutes = minutes.join(kept.select(KEY), on=KEY, how="semi")
        whole = kept.with_columns(minute=pl.lit(_OF_VISIT, pl.Int64))
        delay = at.present - at.watermark + _QUIET + timedelta(microseconds=1)
        return [
            pl.concat([minutes, whole], how="diagonal").select(self.state_schema.names()),
            kept.select(KEY, (pl.col("last_at") + delay).alias(DUE_AT)),
        ]
