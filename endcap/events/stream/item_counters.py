"""Item counters: how many baskets have an item of late, in the shop and by region, less what came back.

The numbers are those of `endcap.features.item` as of the second after the present. A row of state is a purchase or return. Those of an item
are all that its numbers need, but for one case: a return that names an order only. So a purchase stands under its order too, which turns
such a return into one an item of the order and forwards it.

Limits: a purchase is remembered for a while, and a return that names an order from before it counts as naming none. A return of some units
of an order, whatever the item, takes the order's newest; it does not see what returns without an order took from the same lines.
"""

import polars as pl

from endcap.contracts.event_type import TAKES_OFF, EventType
from endcap.contracts.moment import DAY_S
from endcap.events.stream.function import DUE_AT, KEY, Instant, Step
from endcap.features.net_purchases import followed
from endcap.features.standing import NEVER

EVERYWHERE = ""
"""The region of the numbers that count the whole shop."""

WINDOWS = (7, 28, 35)
"""Days that are counted: the last week, what the trend of an item compares it with, and with it what that of a region does."""

REMEMBERED_DAYS = 56

STATE_SCHEMA = pl.Schema(
    {
        KEY: pl.String(),
        "event_id": pl.String(),
        "event_type": pl.String(),
        "at": pl.Int64(),
        "user_id": pl.String(),
        "session_id": pl.String(),
        "order_id": pl.String(),
        "item_id": pl.String(),
        "quantity": pl.Float64(),
        "consent": pl.Boolean(),
        "region": pl.String(),
    }
)
"""`at` in UTC epoch seconds; a return of quantity 0 takes nothing."""

COUNTS_SCHEMA = pl.Schema(
    {
        "item_id": pl.String(),
        "region": pl.String(),
        "as_of": pl.Datetime("us", "UTC"),
        **{f"purchases_{days}d": pl.Int64() for days in WINDOWS},
        "trend": pl.Float64(),
    }
)
"""Baskets of the last days; `trend` is the logarithm of the last week over the mean week of the last four, each plus one."""

REGIONS_SCHEMA = pl.Schema({"user_id": pl.String(), "region": pl.String()})

_TAKES_OFF = [kind.value for kind in sorted(TAKES_OFF)]
_ITEM, _ORDER = "item:", "order:"
_OCCASION = (KEY, "user_id", "session_id")


class ItemCounters:
    """Counts baskets by item.

    Args:
        regions: REGIONS_SCHEMA, a row a person; nobody's region is known by default. What is bought by others counts for the shop only.
        remembered_days: how long a purchase is remembered, for the returns that may come; at least the longest of WINDOWS.
    """

    name = "item_counters"
    state_schema = STATE_SCHEMA
    row_schema = COUNTS_SCHEMA
    row_key = ("item_id", "region")

    def __init__(self, regions: pl.DataFrame | None = None, remembered_days: int = REMEMBERED_DAYS) -> None:
        known = REGIONS_SCHEMA.to_frame() if regions is None else regions
        self._regions = known.select(pl.col(name).cast(kind) for name, kind in REGIONS_SCHEMA.items()).filter(pl.col("region") != "")
        self._remembered_s = max(remembered_days, *WINDOWS) * DAY_S

    def keyed(self, events: pl.DataFrame) -> pl.DataFrame:
        """Purchases and returns under their item and their order; columns of STATE_SCHEMA."""
        is_bought = pl.col("event_type") == EventType.PURCHASE.value
        # As the features have it: a purchase without consent counts nowhere, but a return may mean it.
        concerned = events.filter(is_bought | (_is_taken_off() & pl.col("consent")))
        rows = concerned.with_columns(at=pl.col("occurred_at").dt.epoch("s")).join(self._regions, on="user_id", how="left")
        order = pl.when(is_bought).then(pl.coalesce("order_id", "session_id")).otherwise("order_id")
        keys = (pl.lit(_ITEM) + pl.col("item_id"), pl.lit(_ORDER) + order)
        return pl.concat([_typed(rows.with_columns(key.alias(KEY))) for key in keys]).filter(pl.col(KEY).is_not_null())

    def step(self, state: pl.DataFrame, events: pl.DataFrame, at: Instant) -> Step:
        """As `StreamFunction.step`."""
        both = pl.concat([_typed(state), _typed(events)]).unique([KEY, "event_id"], keep="last", maintain_order=True)
        second = int(at.present.timestamp()) + 1
        is_kept = (pl.col("at") >= second - self._remembered_s) & ~(pl.col("quantity").eq_missing(0) & _is_taken_off())
        kept = both.filter(is_kept)
        of_items = kept.filter(pl.col(KEY).str.starts_with(_ITEM))
        counts = _counted(_occasions(of_items), second)
        return Step(
            state=kept,
            rows=_rows(_spoken_of(both), counts, at),
            due=self._due(kept, second),
            forwarded=_by_item(kept.filter(pl.col(KEY).str.starts_with(_ORDER))),
        )

    def _due(self, kept: pl.DataFrame, second: int) -> pl.DataFrame:
        """When the next purchase leaves a window or is forgotten: it counts in the window's last second still."""
        leaves = [
            pl.when((pl.col("at") + span >= second) & (pl.col(KEY).str.starts_with(_ITEM) | (span == self._remembered_s)))
            .then(pl.col("at") + span)
            .otherwise(None)
            for span in (*(days * DAY_S for days in WINDOWS), self._remembered_s)
        ]
        due = kept.group_by(KEY).agg(pl.min_horizontal(leaves).min().alias(DUE_AT)).filter(pl.col(DUE_AT).is_not_null())
        return due.select(KEY, pl.from_epoch(DUE_AT, "s").dt.cast_time_unit("us").dt.replace_time_zone("UTC"))


def _typed(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(kind) for name, kind in STATE_SCHEMA.items())


def _is_taken_off() -> pl.Expr:
    return pl.col("event_type").is_in(_TAKES_OFF)


def _spoken_of(both: pl.DataFrame) -> pl.DataFrame:
    """Columns key, region: every number that may have changed, what is forgotten now among them."""
    items = both.filter(pl.col(KEY).str.starts_with(_ITEM))
    regions = items.filter(pl.col("region").is_not_null()).select(KEY, "region").unique()
    return pl.concat([items.select(KEY, pl.lit(EVERYWHERE).alias("region")).unique(), regions])


def _followed(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(basket_id=pl.coalesce("order_id", "session_id"))


def _occasions(of_items: pl.DataFrame) -> pl.DataFrame:
    """Baskets that an item stands in now: its key, the region, `at` of the first line since it does.

    As `endcap.features.standing.joined_stretches`, whose last stretch alone can stand at the present.
    """
    contested = of_items.filter(_is_taken_off().any().over(KEY))
    versions = pl.DataFrame(followed(_followed(contested)).versions).select("event_id", "since", "until")
    bought = of_items.filter(~_is_taken_off(), pl.col("consent")).join(versions, on="event_id", how="left")
    lines = bought.with_columns(since=pl.coalesce("since", "at"), ends=pl.col("until").fill_null(NEVER)).sort("since", "ends")
    reach_before = pl.col("ends").cum_max().shift(1).over(_OCCASION)
    begins = reach_before.is_null() | (pl.col("since") > reach_before)
    numbered = lines.with_columns(begins.alias("begins")).with_columns(pl.col("begins").cum_sum().over(_OCCASION).alias("stretch"))
    stretches = numbered.group_by(*_OCCASION, "stretch").agg(
        pl.col("at").min(), pl.col("ends").max(), pl.col("region").drop_nulls().first()
    )
    return stretches.filter(pl.col("ends") == NEVER).select(KEY, "region", "at")


def _counted(occasions: pl.DataFrame, second: int) -> pl.DataFrame:
    """Columns key, region and the counts."""
    counts = [(pl.col("at") >= second - days * DAY_S).sum().cast(pl.Int64).alias(f"purchases_{days}d") for days in WINDOWS]
    overall = occasions.group_by(KEY).agg(counts).with_columns(region=pl.lit(EVERYWHERE))
    by_region = occasions.filter(pl.col("region").is_not_null()).group_by(KEY, "region").agg(counts)
    return pl.concat([overall.select(by_region.columns), by_region])


def _rows(spoken_of: pl.DataFrame, counts: pl.DataFrame, at: Instant) -> pl.DataFrame:
    """COUNTS_SCHEMA; what is not counted is 0."""
    rows = spoken_of.join(counts, on=[KEY, "region"], how="left").with_columns(
        pl.col(f"purchases_{days}d").fill_null(0) for days in WINDOWS
    )
    rows = rows.with_columns(
        item_id=pl.col(KEY).str.strip_prefix(_ITEM), as_of=pl.lit(at.present), trend=trend(pl.col("purchases_7d"), pl.col("purchases_28d"))
    )
    return rows.select(pl.col(name).cast(kind) for name, kind in COUNTS_SCHEMA.items())


def trend(last_week: pl.Expr, four_weeks: pl.Expr) -> pl.Expr:
    """As the item feature."""
    return ((last_week + 1) / (four_weeks / 4 + 1)).log()


def _by_item(of_orders: pl.DataFrame) -> pl.DataFrame:
    """Returns that name an order only, once for each item of the order, with what each takes of it: null is all there is, 0 nothing."""
    is_wide = _is_taken_off() & pl.col("item_id").is_null()
    orders = of_orders.filter(is_wide.any().over(KEY))
    wide, bought = orders.filter(is_wide), orders.filter(~_is_taken_off())
    takes = followed(_followed(orders)).takes.rename({"quantity": "taken"})
    of_item = takes.join(bought.select(KEY, "item_id", purchase_id="event_id"), on="purchase_id")
    taken = of_item.group_by(KEY, "item_id", event_id="return_id").agg(pl.col("taken").sum())
    items = bought.group_by(KEY, "item_id").agg(first_at=pl.col("at").min())
    each = wide.drop("item_id").join(items, on=KEY).join(taken, on=[KEY, "event_id", "item_id"], how="left")
    quantity = (
        pl.when(pl.col("first_at") > pl.col("at"))
        .then(0.0)  # bought after it: nothing of it can come back yet
        .when(pl.col("quantity").is_null())
        .then(None)
        .otherwise(pl.col("taken").fill_null(0.0))
    )
    return _typed(each.with_columns(quantity=quantity, **{KEY: pl.lit(_ITEM) + pl.col("item_id")}))
