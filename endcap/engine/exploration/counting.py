"""Counting click evidence: of events, or of what the stream joined; by one definition."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from endcap.contracts.event import EventType
from endcap.contracts.moment import DAY_S
from endcap.contracts.outcome import Objective
from endcap.core.files import replacing_file
from endcap.engine.exploration.evidence import EVIDENCE_SCHEMA
from endcap.events.outcomes.examination import ASSUMED, Examination
from endcap.events.outcomes.windows import CLICKS

_SHOWN = ("request_id", "item_id")


@dataclass(frozen=True)
class EvidenceRule:
    """What an impression and a click count.

    Attributes:
        half_life_days: over 0.
        examination: how likely somebody looks at each place.
        window: time from the impression within which a click counts.
    """

    half_life_days: float
    examination: Examination = ASSUMED
    window: timedelta = timedelta(minutes=30)


def count_evidence(events: pl.LazyFrame | pl.DataFrame, as_of: datetime, rule: EvidenceRule) -> pl.DataFrame:
    """As `evidence_of`, of events.

    Events without consent do not count, nor do those after `as_of`.

    Args:
        events: rows of the contract `Event`; one that stands twice counts once.
        as_of: UTC.
        rule: what counts how much.
    """
    known = events.lazy().filter(pl.col("occurred_at") <= as_of, pl.col("consent"), *(pl.col(name).is_not_null() for name in _SHOWN))
    shown = known.filter(pl.col("event_type") == EventType.IMPRESSION.value).rename({"occurred_at": "shown_at"})
    clicked = known.filter(pl.col("event_type").is_in([kind.value for kind in CLICKS])).rename({"occurred_at": "followed_at"})
    return evidence_of(shown, clicked, as_of, rule)


def evidence_of_outcomes(places: pl.DataFrame, touches: pl.DataFrame, as_of: datetime, rule: EvidenceRule) -> pl.DataFrame:
    """As `evidence_of`, of what the stream joined.

    Args:
        places: rows of PLACE_SCHEMA with consent.
        touches: rows of TOUCH_SCHEMA with consent; a click is one that names the request.
        as_of: UTC.
        rule: what counts how much.
    """
    clicked = touches.lazy().filter(pl.col("objective") == Objective.CLICK.value, pl.col("is_named"), pl.col("followed_at") <= as_of)
    return evidence_of(places.lazy().filter(pl.col("shown_at") <= as_of), clicked, as_of, rule)


def evidence_of(shown: pl.LazyFrame, clicked: pl.LazyFrame, as_of: datetime, rule: EvidenceRule) -> pl.DataFrame:
    """Discounted impressions and clicks of each item that was shown.

    An impression that is `half_life_days` old counts half, and so does the click on it. One at a place counts as many impressions as the
    chance that somebody looked there (position-based model): an item that was only ever shown far down is not taken for a bad one.

    Args:
        shown: request_id, item_id, position, shown_at: of a request's item the first counts.
        clicked: request_id, item_id, followed_at.
        as_of: UTC.
        rule: what counts how much.

    Returns: rows of EVIDENCE_SCHEMA by item id.
    """
    first = shown.group_by(_SHOWN).agg(pl.col("shown_at").min(), position=pl.col("position").min().fill_null(1))
    after = pl.col("followed_at") - pl.col("shown_at")
    in_time = first.join(clicked.select(*_SHOWN, "followed_at"), on=_SHOWN).filter(after >= pl.duration(), after <= pl.lit(rule.window))
    followed = in_time.select(_SHOWN).unique().with_columns(followed=pl.lit(1.0))
    age_days = (pl.lit(as_of) - pl.col("shown_at")).dt.total_milliseconds() / (1000 * DAY_S)
    weight = pl.lit(0.5).pow(age_days / rule.half_life_days)
    counted = (
        first.join(followed, on=_SHOWN, how="left")
        .group_by("item_id")
        .agg(
            impressions=(weight * rule.examination.chance(pl.col("position"))).sum(),
            clicks=(weight * pl.col("followed").fill_null(0.0)).sum(),
        )
        .with_columns(as_of=pl.lit(as_of))
        .sort("item_id")
    )
    return counted.select(EVIDENCE_SCHEMA.names()).cast(EVIDENCE_SCHEMA).collect(engine="streaming")


def write_evidence(counted: pl.DataFrame, path: Path) -> None:
    """Put `click_evidence.parquet` in place at once, so that a reader finds the earlier one or this one, whole."""
    with replacing_file(path) as aside:
        counted.write_parquet(aside)
