"""The columns that a rule's `where` and a cap's `by` may read."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from endcap.engine.retrieval.candidates import SOURCES
from endcap.features.columns import ITEM_NUMERIC, OBJECTIVES

BROUGHT_BY = "brought_by_"


@dataclass(frozen=True)
class RuleColumn:
    """One column, with the text that docs/rules.md shows of it."""

    name: str
    dtype: pl.DataType
    description: str


_ITEM_NUMERIC_TEXTS: Mapping[str, str] = {
    "purchases_7d": "purchases of the last 7 days",
    "purchases_28d": "purchases of the last 28 days",
    "purchases_90d": "purchases of the last 90 days",
    "buyers_28d": "people who bought it in the last 28 days",
    "buyers_90d": "people who bought it in the last 90 days",
    "new_buyers_7d": "people who bought it for the first time in the last 7 days",
    "new_buyers_28d": "people who bought it for the first time in the last 28 days",
    "share_of_category_28d": "share of its finest category's purchases of the last 28 days",
    "trend": "log((purchases_7d + 1) / (purchases_28d / 4 + 1)); above 0 for what sells better than usual",
    "price_to_category": "price over the mean price of its finest category",
    "discount_share_28d": "share of its purchases of the last 28 days that were discounted",
    "discount_depth_28d": "mean discount of these, as a share of the price",
    "repeat_rate_90d": "share of its buyers of the last 90 days who bought it again",
    "item_age_days": "days since its first sale, as of the features",
    "display_share": "share of shops that show it on a display",
    "mailer_share": "share of shops that advertise it in their mailer",
    "views_7d": "views of the last 7 days",
    "views_28d": "views of the last 28 days",
    "carts_28d": "times it was put into a cart in the last 28 days",
    "view_to_cart_28d": "carts per view of the last 28 days, drawn towards its category's while it has few views",
    "cart_to_purchase_28d": "purchases per cart of the last 28 days, drawn towards its category's while it has few carts",
    "category_view_to_cart_28d": "carts per view of its finest category",
    "category_cart_to_purchase_28d": "purchases per cart of its finest category",
}

_FLOAT, _TEXT, _YES_NO, _WHOLE = pl.Float32(), pl.String(), pl.Boolean(), pl.Int32()

ITEM_COLUMNS: tuple[RuleColumn, ...] = (
    RuleColumn("item_id", _TEXT, "the item's id"),
    RuleColumn("title", _TEXT, "its name"),
    RuleColumn("category", _TEXT, "its whole category path, levels joined by ` > `"),
    RuleColumn("category_1", _TEXT, "the path's first level"),
    RuleColumn("category_2", _TEXT, "the path down to the second level; a shorter path is repeated"),
    RuleColumn("category_3", _TEXT, "the path down to the third level; a shorter path is repeated"),
    RuleColumn("brand", _TEXT, "its brand"),
    RuleColumn("price", _FLOAT, "present price"),
    RuleColumn("margin", _FLOAT, "margin as a share of the price"),
    RuleColumn("available", _YES_NO, "whether it is in stock"),
    RuleColumn("age_days", _WHOLE, "whole days since it entered the catalogue"),
    *(RuleColumn(name, _FLOAT, _ITEM_NUMERIC_TEXTS.get(name, name)) for name in ITEM_NUMERIC if name != "price"),
)
"""Known for every item of the catalogue, so that rules that read only these are worked out before the first request."""

CANDIDATE_COLUMNS: tuple[RuleColumn, ...] = (
    RuleColumn("score", _FLOAT, "score before the rules"),
    RuleColumn("position", _WHOLE, "rank before the rules, from 1"),
    RuleColumn("source", _TEXT, f"the source that ranked it highest: {', '.join(SOURCES)}"),
    *(
        RuleColumn(
            name,
            _FLOAT,
            f"the ranker's probability for the objective `{name}`; unknown when the ranker did not answer, or was not trained for it",
        )
        for name in OBJECTIVES
    ),
    RuleColumn("bought_before", _YES_NO, "whether the person bought it before"),
    *(RuleColumn(f"{BROUGHT_BY}{name}", _YES_NO, f"whether the source {name} brought it") for name in SOURCES),
)
"""Known within one request only."""

ITEM_NAMES = frozenset(column.name for column in ITEM_COLUMNS)
SCHEMA: Mapping[str, pl.DataType] = {column.name: column.dtype for column in (*ITEM_COLUMNS, *CANDIDATE_COLUMNS)}
