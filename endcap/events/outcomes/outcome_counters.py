"""Totals of lists and items whose time is over, as guardrails and dashboards read them."""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from endcap.contracts.outcome import Objective
from endcap.events.outcomes.orders import KEPT_SCHEMA
from endcap.events.outcomes.places import PLACE
from endcap.events.outcomes.resolution import attributed

LIST_LABELS = ("version", "surface")
LIST_COUNTS = ("impressions", "clicks", "purchases")
ITEM_LABELS = ("source", "position", "event")

LIST_TOTALS_SCHEMA = pl.Schema({**dict.fromkeys(LIST_LABELS, pl.String()), **dict.fromkeys(LIST_COUNTS, pl.Int64())})
ITEM_TOTALS_SCHEMA = pl.Schema({**dict.fromkeys(ITEM_LABELS, pl.String()), "count": pl.Int64()})

_POSITIONS_APART = 20
"""Places up to this one are counted each for itself."""

_UNKNOWN = "unknown"


@dataclass(frozen=True)
class OutcomeTotals:
    """Counts, each of which only rises.

    Attributes:
        lists: rows of LIST_TOTALS_SCHEMA.
        items: rows of ITEM_TOTALS_SCHEMA; `event` is served, seen, click, cart or purchase.
    """

    lists: pl.DataFrame
    items: pl.DataFrame


def list_labels() -> list[pl.Expr]:
    """`version` (the bundle's number; its whole name where it has none) and `surface`, of rows with `bundle` and `surface`."""
    bundle = pl.col("bundle").fill_null(_UNKNOWN)
    return [bundle.str.extract(r"(\d+)$").fill_null(bundle).alias("version"), pl.col("surface").fill_null(_UNKNOWN)]


def totals_of_lists(places: pl.DataFrame, touches: pl.DataFrame, window: timedelta, seen_surfaces: list[str]) -> OutcomeTotals:
    """What lists add to the totals.

    A list counts once, and once for all clicks in it. On a surface whose pages say what was seen, a list of which nothing was seen does
    not count: nobody was shown it.

    Args:
        places: rows of PLACE_SCHEMA, of whole lists.
        touches: rows of TOUCH_SCHEMA, all of each event that touches one of them.
        window: after the list, time within which what follows counts.
        seen_surfaces: surfaces that report what was seen.
    """
    shown_at = pl.col("shown_at").min().over("request_id")
    places = places.with_columns(list_shown_at=shown_at, is_seen=pl.col("seen_at").is_not_null())
    reported = pl.col("surface").is_in(seen_surfaces).fill_null(False)
    places = places.filter(pl.col("is_seen").any().over("request_id") | ~reported)
    wins = attributed(touches, pl.DataFrame(schema=KEPT_SCHEMA)).filter("wins").select(*PLACE, "objective", "followed_at")
    followed = wins.join(places, on=PLACE).filter(pl.col("followed_at") <= pl.col("list_shown_at") + window)
    return OutcomeTotals(_lists(places, followed), _items(places, followed))


def _lists(places: pl.DataFrame, followed: pl.DataFrame) -> pl.DataFrame:
    lists = places.sort("position").group_by("request_id", maintain_order=True).first().select("request_id", *list_labels())
    for name, objective in (("clicks", Objective.CLICK), ("purchases", Objective.PURCHASE)):
        had = followed.filter(pl.col("objective") == objective.value).select("request_id", pl.lit(1).alias(name)).unique()
        lists = lists.join(had, on="request_id", how="left")
    counts = [pl.len().alias("impressions"), *(pl.col(name).sum() for name in ("clicks", "purchases"))]
    return lists.group_by(LIST_LABELS).agg(counts).select(LIST_TOTALS_SCHEMA.names()).cast(LIST_TOTALS_SCHEMA).sort(LIST_LABELS)


def _items(places: pl.DataFrame, followed: pl.DataFrame) -> pl.DataFrame:
    position = pl.col("position").cast(pl.String)
    labelled = [
        pl.col("source").fill_null(_UNKNOWN),
        pl.when(pl.col("position") <= _POSITIONS_APART).then(position).otherwise(pl.lit(f"{_POSITIONS_APART + 1}+")).alias("position"),
    ]
    parts = [
        places.select(*labelled, event=pl.lit("served")),
        places.filter("is_seen").select(*labelled, event=pl.lit("seen")),
        followed.unique([*PLACE, "objective"]).select(*labelled, event=pl.col("objective")),
    ]
    counted = pl.concat(parts).group_by(ITEM_LABELS).agg(count=pl.len())
    return counted.select(ITEM_TOTALS_SCHEMA.names()).cast(ITEM_TOTALS_SCHEMA).sort(ITEM_LABELS)
