"""Click evidence by the day of the list, so that only days on which something changed are counted again."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from endcap.contracts.moment import DAY_S
from endcap.engine.exploration.counting import EvidenceRule, evidence_of_outcomes
from endcap.engine.exploration.evidence import EVIDENCE_SCHEMA


class DailyEvidence:
    """What `evidence_of_outcomes` counts of all days together; discounting by half-lives is a product, so days can be added up.

    Args:
        rule: what counts how much.
    """

    def __init__(self, rule: EvidenceRule) -> None:
        self._rule = rule
        self._days: dict[date, pl.DataFrame] = {}

    def put(self, day: date, parts: Iterable[tuple[pl.DataFrame, pl.DataFrame]]) -> None:
        """Count a day (UTC) anew, in the place of what was counted of it before.

        Args:
            day: of the lists.
            parts: each list in one of them: rows of PLACE_SCHEMA and of TOUCH_SCHEMA, with consent.
        """
        counted = [evidence_of_outcomes(places, touches, _end(day), self._rule) for places, touches in parts]
        self._days[day] = _summed([EVIDENCE_SCHEMA.to_frame(), *counted], _end(day))

    def forget(self, before: date) -> None:
        """Leave out days from before."""
        self._days = {day: counted for day, counted in self._days.items() if day >= before}

    def total(self, as_of: datetime) -> pl.DataFrame:
        """Rows of EVIDENCE_SCHEMA by item id, discounted to a moment, UTC."""
        frames = [EVIDENCE_SCHEMA.to_frame()]
        for day, counted in self._days.items():
            factor = 0.5 ** ((as_of - _end(day)).total_seconds() / DAY_S / self._rule.half_life_days)
            frames.append(counted.with_columns(pl.col("impressions", "clicks") * factor))
        return _summed(frames, as_of)


def _summed(frames: list[pl.DataFrame], as_of: datetime) -> pl.DataFrame:
    summed = pl.concat(frames).group_by("item_id").agg(pl.col("impressions", "clicks").sum(), as_of=pl.lit(as_of))
    return summed.select(EVIDENCE_SCHEMA.names()).cast(EVIDENCE_SCHEMA).sort("item_id")


def _end(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
