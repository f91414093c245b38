"""Counting click evidence from events."""

from datetime import datetime
from pathlib import Path

import polars as pl

from endcap.contracts.event import EventType
from endcap.contracts.moment import DAY_S
from endcap.core.files import replacing_file
from endcap.engine.exploration.evidence import EVIDENCE_SCHEMA

CLICKS = (EventType.CLICK, EventType.PRODUCT_VIEW, EventType.ADD_TO_CART, EventType.PURCHASE)
"""What counts as a click on an impression, once, when it carries the impression's request and item."""

EXAMINATION_POWER = 0.5

_SHOWN = ("request_id", "item_id")


def count_evidence(
    events: pl.LazyFrame | pl.DataFrame, as_of: datetime, half_life_days: float, examination_power: float = EXAMINATION_POWER
) -> pl.DataFrame:
    """Discounted impressions and clicks of each item that was shown.

    An impression that is `half_life_days` old counts half, and so does the click on it. One at place p counts p^-power impressions, the
    chance that somebody looked that far (position-based model with the power law of Joachims, Swaminathan and Schnabel, WSDM 2017): an item
    that was only ever shown far down is not taken for a bad one. Events without consent do not count, nor do those after `as_of`.

    Args:
        events: rows of the contract `Event`; one that stands twice counts once.
        as_of: UTC.
        half_life_days: over 0.
        examination_power: 0 for no correction of positions.

    Returns: rows of EVIDENCE_SCHEMA by item id.
    """
    known = events.lazy().filter(pl.col("occurred_at") <= as_of, pl.col("consent"), *(pl.col(name).is_not_null() for name in _SHOWN))
    shown = known.filter(pl.col("event_type") == EventType.IMPRESSION.value)
    shown = shown.group_by(_SHOWN).agg(shown_at=pl.col("occurred_at").min(), position=pl.col("position").min().fill_null(1))
    clicked = known.filter(pl.col("event_type").is_in([kind.value for kind in CLICKS]))
    clicked = clicked.group_by(_SHOWN).agg(clicked_at=pl.col("occurred_at").max())
    age_days = (pl.lit(as_of) - pl.col("shown_at")).dt.total_milliseconds() / (1000 * DAY_S)
    weight = pl.lit(0.5).pow(age_days / half_life_days)
    followed = (pl.col("clicked_at") >= pl.col("shown_at")).fill_null(False).cast(pl.Float64)
    counted = (
        shown.join(clicked, on=_SHOWN, how="left")
        .group_by("item_id")
        .agg(
            impressions=(weight * pl.col("position").cast(pl.Float64).pow(-examination_power)).sum(),
            clicks=(weight * followed).sum(),
        )
        .with_columns(as_of=pl.lit(as_of))
        .sort("item_id")
    )
    return counted.select(EVIDENCE_SCHEMA.names()).cast(EVIDENCE_SCHEMA).collect(engine="streaming")


def write_evidence(counted: pl.DataFrame, path: Path) -> None:
    """Put `click_evidence.parquet` in place at once, so that a reader finds the earlier one or this one, whole."""
    with replacing_file(path) as aside:
        counted.write_parquet(aside)
