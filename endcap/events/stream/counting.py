"""Which events count: each once, in time, a person's, with ids that are ids."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

import polars as pl

from endcap.contracts.event_type import NEEDS_ITEM
from endcap.events.stream.bots import Bots
from endcap.events.stream.function import Instant, Step
from endcap.events.stream.placeholders import stands_for_no_item, stands_for_no_person

BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any event."""


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


def with_known_ids(events: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Events whose ids of users and items are null where they stand for none, and bool [n], which had such an id."""
    no_user, no_item, no_visit = stands_for_no_person("user_id"), stands_for_no_item("item_id"), stands_for_no_person("session_id")
    had = events.select(no_user | no_item | no_visit).to_series()
    if not had.any():
        return events, had
    cleared = events.with_columns(
        user_id=pl.when(~no_user).then(pl.col("user_id")),
        item_id=pl.when(~no_item).then(pl.col("item_id")),
        session_id=pl.when(~no_visit).then(pl.col("session_id")),
    )
    return cleared, had


def late(events: pl.DataFrame, present: datetime, delay: timedelta | None) -> pl.Series:
    """bool [n]: which happened more than `delay` before the newest of those that arrived earlier, or before `present`.

    Args:
        events: in the order of arrival.
        present: where the stream stood before them.
        delay: None for a whole log, in which nothing is late.
    """
    if delay is None:
        return pl.repeat(False, len(events), dtype=pl.Boolean(), eager=True)
    newest = pl.max_horizontal(pl.col("occurred_at").cum_max().shift(1), pl.lit(present).cast(events.schema["occurred_at"]))
    return events.select(pl.col("occurred_at") < newest - delay).to_series()


def identified(events: pl.DataFrame) -> pl.Series:
    """bool [n]: which have the visit, and the item if their type needs one."""
    needs_item = pl.col("event_type").is_in([kind.value for kind in NEEDS_ITEM])
    return events.select(pl.col("session_id").is_not_null() & (pl.col("item_id").is_not_null() | ~needs_item)).to_series()


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
        cleared, had_placeholder = with_known_ids(events)
        is_late, is_known = late(cleared, present, self._delay), identified(cleared)
        kept = cleared.filter(~is_late & is_known)
        once = kept.unique("event_id", keep="first", maintain_order=True)
        left_out = {
            LeftOut.LATE: int(is_late.sum()),
            LeftOut.NO_ID: int((~is_late & ~is_known).sum()),
            LeftOut.DUPLICATE: len(kept) - len(once),
        }
        return once, left_out, int(had_placeholder.sum())

    def of_persons(self, events: pl.DataFrame, bots_state: pl.DataFrame, at: Instant) -> tuple[pl.DataFrame, int, Step]:
        """Events that are not bots', how many are, and the state of that rule."""
        is_bot, step = self.bots.judge(bots_state, events, at)
        return events.filter(~is_bot), int(is_bot.sum()), step


def newest_of(events: pl.DataFrame, present: datetime) -> datetime:
    """The later one of `present` and the newest event."""
    newest = events["occurred_at"].max()
    return max(present, newest) if isinstance(newest, datetime) else present
