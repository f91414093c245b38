"""Which events count: each once, in time, a person's, with ids that are ids."""

from datetime import datetime, timedelta
from enum import StrEnum

import polars as pl

from endcap.contracts.event_type import NEEDS_ITEM
from endcap.events.stream.bots import Bots
from endcap.events.stream.columns import BEGINNING, MOMENT
from endcap.events.stream.function import Instant, Step
from endcap.events.stream.placeholders import stands_for_no_item, stands_for_no_person


class LeftOut(StrEnum):
    """Why an event does not count."""

    DUPLICATE = "duplicate"
    LATE = "late"
    NO_ID = "no_id"
    BOT = "bot"


MEANINGS = {
    LeftOut.DUPLICATE: "An event of this id counted already.",
    LeftOut.LATE: "It happened before the watermark; the batch features count it.",
    LeftOut.NO_ID: "Its visit, or the item that it needs, stands for none, such as undefined.",
    LeftOut.BOT: "Its visit is a bot's by rule.",
}
"""What each says."""


def newest_before(present: datetime) -> pl.Expr:
    """The newest moment that was known of when each event arrived, of events in the order of arrival.

    Args:
        present: where the stream stood before them.
    """
    return pl.max_horizontal(pl.col("occurred_at").cum_max().shift(1), pl.lit(present).cast(MOMENT))


def judged(events: pl.DataFrame, newest: pl.Expr, delay: timedelta | None) -> pl.DataFrame:
    """Events with ids that are null where they stand for none, and what keeps them from counting.

    Args:
        events: columns of the contract `Event`.
        newest: the newest moment that was known of when each arrived.
        delay: between the newest event and the watermark; None for a whole log, in which nothing is late.

    Returns:
        The same rows with the boolean columns `had_placeholder`, `is_late` (it happened before the watermark of the events that arrived
        earlier) and `is_known` (it has a visit, and the item if its type needs one).
    """
    placeholder = {
        "user_id": stands_for_no_person("user_id"),
        "item_id": stands_for_no_item("item_id"),
        "session_id": stands_for_no_person("session_id"),
    }
    needs_item = pl.col("event_type").is_in([kind.value for kind in NEEDS_ITEM])
    marked = events.lazy().with_columns(
        pl.any_horizontal(placeholder.values()).alias("had_placeholder"),
        (pl.col("occurred_at") < newest - delay if delay is not None else pl.lit(False)).alias("is_late"),
        *(pl.when(~is_none).then(pl.col(name)).alias(name) for name, is_none in placeholder.items()),
    )
    is_known = pl.col("session_id").is_not_null() & (pl.col("item_id").is_not_null() | ~needs_item)
    return marked.with_columns(is_known=is_known).collect()


class Counting:
    """Tells events that count from others; pure, its state is passed in.

    Args:
        bots: the rule for bots.
        delay: between the newest event and the watermark; None for a whole log.
    """

    def __init__(self, bots: Bots, delay: timedelta | None) -> None:
        self.bots = bots
        self._delay = delay

    def instant(self, present: datetime) -> Instant:
        """Where the stream stands at a moment."""
        return Instant(present, present - self._delay if self._delay is not None else BEGINNING)

    def in_time(self, events: pl.DataFrame, present: datetime) -> tuple[pl.DataFrame, dict[LeftOut, int], int]:
        """Events that are in time and whose ids are ids, each id once; what was left out; and how many had a placeholder.

        Args:
            events: in the order of arrival.
            present: where the stream stood before them.
        """
        marked = judged(events, newest_before(present), self._delay)
        is_late, is_known = marked["is_late"], marked["is_known"]
        kept = marked.lazy().filter(~pl.col("is_late") & pl.col("is_known")).select(events.columns)
        once = kept.unique("event_id", keep="first", maintain_order=True).collect()
        left_out = {
            LeftOut.LATE: int(is_late.sum()),
            LeftOut.NO_ID: int((~is_late & ~is_known).sum()),
            LeftOut.DUPLICATE: int((~is_late & is_known).sum()) - len(once),
        }
        return once, left_out, int(marked["had_placeholder"].sum())

    def of_persons(self, events: pl.DataFrame, bots_state: pl.DataFrame, at: Instant) -> tuple[pl.DataFrame, int, Step]:
        """Events that are not bots', how many are, and the state of that rule."""
        is_bot, step = self.bots.judge(bots_state, events, at)
        return events.filter(~is_bot), int(is_bot.sum()), step


def newest_of(events: pl.DataFrame, present: datetime) -> datetime:
    """The later one of `present` and the newest event."""
    newest = events["occurred_at"].max()
    return max(present, newest) if isinstance(newest, datetime) else present
