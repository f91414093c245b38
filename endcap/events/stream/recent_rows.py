"""From what a person did lately to the lists that requests read: touches as they stand in the history, and occasions bought and taken back.

The rules are those of the batch features (`endcap.features.history`, `endcap.features.purchases`, `endcap.features.net_purchases`).
"""

import polars as pl

from endcap.contracts.event_type import TAKES_OFF, EventType
from endcap.contracts.recent_kind import RECENT_KINDS, RecentKind
from endcap.contracts.signals import PURCHASE_CODE, Signals, signal_code
from endcap.events.stream.function import KEY
from endcap.events.stream.recent_events import PERSON
from endcap.features.columns import ACT_SECONDS, ENDS_TOUCHES, RECENT_BOUGHT, RECENT_TOUCHES
from endcap.features.net_purchases import followed

ROWS = pl.Schema(
    {
        "user_id": pl.String(),
        "recent_item_ids": pl.List(pl.String()),
        "recent_occurred_at": pl.List(pl.Int64()),
        "recent_kinds": pl.List(pl.Int64()),
        "recent_signals": pl.List(pl.Int64()),
        "recent_visits": pl.List(pl.Int64()),
        "recent_bought_item_ids": pl.List(pl.String()),
        "recent_bought_at": pl.List(pl.Int64()),
        "recent_bought_until": pl.List(pl.Int64()),
        "recent_visit_ids": pl.List(pl.String()),
    }
)
"""USER_RECENT by person, but for `recent_moved_s`: times are those of the events."""

_PURCHASE, _RATING = EventType.PURCHASE.value, EventType.RATING.value
_TAKES_OFF = tuple(kind.value for kind in TAKES_OFF)
_LOOKS = (EventType.ADD_TO_CART.value, EventType.PRODUCT_VIEW.value, _RATING)
_STRONGEST_LAST = 10
"""More than any code of a signal."""
_NEVER = 1 << 53
"""Epoch seconds after all others."""


def recent_rows(persons: pl.Series, acts: pl.DataFrame, signals: Signals) -> pl.DataFrame:
    """A row a person, with empty lists for who did nothing.

    Args:
        persons: keys.
        acts: `endcap.events.stream.recent_events.STATE` of these, their acts alone.
        signals: how events teach: whether ratings count, and up to which they count against an item.
    """
    timed = acts.with_columns(at=pl.col("occurred_at").dt.epoch("us") // 1_000_000)
    timed = timed.with_columns(recent_visits=(pl.col("session_id").rank("dense").over(KEY) - 1).cast(pl.Int64()))
    timed = _with_until(timed)
    touches = _touches(timed.filter(~pl.col("event_type").is_in(_TAKES_OFF)), signals)
    parts = (
        touches.group_by(KEY, maintain_order=True).agg(*RECENT_TOUCHES),
        _occasions(timed.filter(pl.col("event_type") == _PURCHASE)).group_by(KEY, maintain_order=True).agg(*RECENT_BOUGHT),
        timed.group_by(KEY).agg(recent_visit_ids=pl.col("session_id").unique().sort()),
    )
    rows = persons.alias(KEY).to_frame()
    for part in parts:
        rows = rows.join(part, on=KEY, how="left", maintain_order="left")
    lists = [pl.col(name).fill_null([]).cast(dtype) for name, dtype in ROWS.items() if name != "user_id"]
    return rows.select(pl.col(KEY).str.strip_prefix(PERSON).alias("user_id"), *lists)


def _with_until(acts: pl.DataFrame) -> pl.DataFrame:
    """With `until`: when nothing was left of a purchase; null while something is."""
    takes = pl.col("event_type").is_in(_TAKES_OFF)
    concerned = acts.filter(takes.any().over(KEY), takes | (pl.col("event_type") == _PURCHASE))
    if concerned.is_empty():
        return acts.with_columns(until=pl.lit(None, dtype=pl.Int64()))
    own = pl.col(KEY) + "\x1f"
    # Orders and visits of one person never mean another's.
    contested = concerned.with_columns(user_id=KEY, session_id=own + pl.col("session_id"), order_id=own + pl.col("order_id"))
    taken = followed(contested.with_columns(basket_id=pl.coalesce("order_id", "session_id")))
    gone = pl.DataFrame(taken.versions).filter(pl.col("taken_off_at").is_not_null())
    return acts.join(gone.select("event_id", until="taken_off_at").unique(), on="event_id", how="left")


def _touches(acts: pl.DataFrame, signals: Signals) -> pl.DataFrame:
    """RECENT_TOUCHES a row, in the order of the lists."""
    is_rating = pl.col("event_type") == _RATING
    is_low = (pl.lit(False) if signals.low_rating is None else is_rating & (pl.col("rating") <= signals.low_rating)).fill_null(False)
    counts = pl.lit(True) if signals.rating.weight > 0 else ~is_rating
    code = pl.col("event_type").replace_strict({name: signal_code(name) for name in _LOOKS}, default=0, return_dtype=pl.Int64())
    kind = pl.col("event_type").replace_strict({one.value: int(code) for one, code in RECENT_KINDS.items()}, return_dtype=pl.Int64())
    acts = acts.with_columns(
        low_at=pl.col("at").filter(is_low & counts).max().over(KEY, "item_id"),
        look=pl.when(~is_low & counts).then(code).otherwise(0),
        recent_kinds=pl.when(is_low).then(int(RecentKind.RATED_LOW)).otherwise(kind),
        ends=is_low & counts,
    )
    looks = acts.filter(pl.col("look") > 0).sort(KEY, "item_id", "at")
    looks = looks.with_columns(signal=pl.col("look").rolling_min_by("at", f"{ACT_SECONDS + 1}i").over(KEY, "item_id"))
    others = acts.filter(pl.col("look") == 0)
    others = others.with_columns(signal=pl.when(pl.col("event_type") == _PURCHASE).then(PURCHASE_CODE).otherwise(0).cast(pl.Int64()))
    stands = pl.col("until").is_null() & (pl.col("low_at").is_null() | (pl.col("low_at") < pl.col("at")))
    signal = pl.when("ends").then(ENDS_TOUCHES).when(stands).then("signal").otherwise(0)
    touches = pl.concat([looks, others]).select(
        KEY,
        recent_item_ids="item_id",
        recent_occurred_at="at",
        recent_kinds="recent_kinds",
        recent_signals=signal,
        recent_visits="recent_visits",
    )
    strength = pl.when(pl.col("recent_signals") > 0).then(_STRONGEST_LAST - pl.col("recent_signals")).otherwise(0)
    return touches.sort(KEY, "recent_occurred_at", "recent_item_ids", strength, "recent_kinds", "recent_visits")


def _occasions(lines: pl.DataFrame) -> pl.DataFrame:
    """RECENT_BOUGHT a row: what stands of one item and visit at the same time is one occasion, from its first line on."""
    keys = (KEY, "item_id", "session_id")
    lines = lines.with_columns(end=pl.col("until").fill_null(_NEVER)).sort(*keys, "at", "end")
    before = pl.col("end").cum_max().over(keys).shift(1).over(keys)
    stretch = (before.is_null() | (pl.col("at") > before)).cum_sum().over(keys)
    bought = lines.with_columns(stretch=stretch).group_by(*keys, "stretch").agg(pl.col("at").min(), pl.col("end").max())
    until = pl.when(pl.col("end") == _NEVER).then(0).otherwise("end")
    occasions = bought.select(KEY, recent_bought_item_ids="item_id", recent_bought_at="at", recent_bought_until=until)
    return occasions.sort(KEY, "recent_bought_at", "recent_bought_item_ids", "recent_bought_until")
