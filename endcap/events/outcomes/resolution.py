"""From places and pairs to outcomes: each event counts for one impression, and beside it for all of them by their places.

1. The impression of the request that the event names.
2. Else the newest impression of the item that the person had (last touch); of several at once the highest in its list.

By the position-weighted rule an event of the second kind is shared by all its impressions within the window, each by the chance that
somebody looks at its place.
"""

from dataclasses import dataclass

import polars as pl

from endcap.contracts.outcome import AttributionRule, Objective, outcome_schema
from endcap.events.outcomes.examination import ASSUMED, Examination
from endcap.events.outcomes.orders import kept_of
from endcap.events.outcomes.places import PLACE, experiments_of
from endcap.events.outcomes.propensities import placement

_EVENT = ("event_id", "objective")


@dataclass(frozen=True)
class Journal:
    """What the functions of this folder said.

    Attributes:
        places: rows of PLACE_SCHEMA.
        touches: rows of TOUCH_SCHEMA; of an event in it, all.
        orders: rows of ORDER_SCHEMA.
    """

    places: pl.DataFrame
    touches: pl.DataFrame
    orders: pl.DataFrame


def outcomes_of(journal: Journal, examination: Examination = ASSUMED) -> pl.DataFrame:
    """Rows of the contract `Outcome`: three for each place, by request, place and objective.

    Args:
        journal: what was shown and what followed.
        examination: of the position-weighted rule.
    """
    shares = attributed(journal.touches, kept_of(journal.orders), examination)
    by_place = _by_place(shares)
    objectives = pl.DataFrame({"objective": [objective.value for objective in Objective]})
    schema = outcome_schema()
    rows = journal.places.join(objectives, how="cross").join(by_place, on=[*PLACE, "objective"], how="left")
    rows = rows.with_columns(
        placement(),
        experiments_of(pl.col("experiments"), schema["experiments"]).alias("experiments"),
        pl.col("followed").fill_null(False),
        pl.col("events").fill_null(0),
        pl.col("weighted_events").fill_null(0.0),
    )
    return rows.select(schema.names()).cast(schema).sort("shown_at", *PLACE, "objective")


def attributed(touches: pl.DataFrame, kept: pl.DataFrame, examination: Examination = ASSUMED) -> pl.DataFrame:
    """Pairs with `wins` (bool: the impression that the event counts for), `share` (position-weighted, 1 an event) and the net `value`.

    Purchases of which nothing is left are no outcome.

    Args:
        touches: rows of TOUCH_SCHEMA.
        kept: rows of KEPT_SCHEMA.
    """
    standing = touches.join(kept, on="event_id", how="left").with_columns(pl.col("kept").fill_null(1.0)).filter(pl.col("kept") > 0)
    best_first = ["is_named", "shown_at", "position", "request_id"]
    ordered = standing.sort(*_EVENT, *best_first, descending=[False, False, True, True, False, False])
    wins = pl.int_range(pl.len()).over(_EVENT) == 0
    weight = pl.when(pl.col("is_named").any().over(_EVENT)).then(wins.cast(pl.Float64)).otherwise(examination.chance(pl.col("position")))
    return ordered.with_columns(wins=wins, weight=weight, value=pl.col("value") * pl.col("kept")).with_columns(
        share=pl.col("weight") / pl.col("weight").sum().over(_EVENT)
    )


def _by_place(shares: pl.DataFrame) -> pl.DataFrame:
    wins, value = pl.col("wins"), pl.col("value")
    priced = value.is_not_null()
    currency = pl.col("currency").filter(priced & (pl.col("share") > 0))
    request, last_touch = (pl.lit(rule.value) for rule in (AttributionRule.REQUEST, AttributionRule.LAST_TOUCH))
    return shares.group_by(*PLACE, "objective").agg(
        followed=wins.any(),
        followed_at=pl.col("followed_at").filter(wins).min(),
        rule=pl.when(~wins.any()).then(None).when((wins & pl.col("is_named")).any()).then(request).otherwise(last_touch),
        events=wins.sum().cast(pl.Int64),
        value=pl.when((wins & priced).any()).then(value.filter(wins).sum()),
        currency=pl.when(currency.n_unique() == 1).then(currency.first()),
        weighted_events=pl.col("share").sum(),
        weighted_value=pl.when(((pl.col("share") > 0) & priced).any()).then((value * pl.col("share")).sum()),
    )
