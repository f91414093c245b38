"""What lists brought: rates of outcomes by source, surface, place, variant or bundle, each with its interval."""

from enum import StrEnum
from statistics import NormalDist

import polars as pl

from endcap.contracts.outcome import Objective

_RATES = {"ctr": Objective.CLICK, "cart_rate": Objective.CART, "conversion": Objective.PURCHASE}

LEVEL = 0.95
_Z = NormalDist().inv_cdf((1 + LEVEL) / 2)
_THOUSAND = 1000.0


class Grouping(StrEnum):
    """What rates are told apart by."""

    SOURCE = "source"
    SURFACE = "surface"
    POSITION = "position"
    VARIANT = "variant"
    BUNDLE = "bundle"


def impressions_of(outcomes: pl.DataFrame) -> pl.DataFrame:
    """One row an impression that counts: what was seen on surfaces whose pages say so, what was served on the others; never both.

    Args:
        outcomes: rows of the contract `Outcome`.

    Returns: the impression's columns with `basis` (seen, served), a bool by rate (ctr, cart_rate, conversion), `revenue` and `currency`.
    """
    kept = ["request_id", "item_id", "surface", "source", "position", "variant", "bundle", "placement"]
    followed = {name: (pl.col("followed") & (pl.col("objective") == objective.value)).any() for name, objective in _RATES.items()}
    rows = outcomes.group_by("impression_id", maintain_order=True).agg(
        *(pl.col(name).first() for name in kept),
        pl.col("seen_at").first(),
        **followed,
        revenue=pl.col("value").sum(),
        currency=pl.col("currency").drop_nulls().first(),
        has_currencies=(pl.col("value").is_not_null() & pl.col("currency").is_null()).any(),
    )
    reports = pl.col("seen_at").is_not_null().any().over("surface")
    basis = pl.when(reports).then(pl.lit("seen")).otherwise(pl.lit("served"))
    return rows.with_columns(basis=basis).filter(pl.col("seen_at").is_not_null() | ~reports)


def rates_by(impressions: pl.DataFrame, by: Grouping | None = None) -> pl.DataFrame:
    """Rates of each group, most impressions first; places in their order.

    Proportions have Wilson's interval, revenue one over lists, since what is bought of one list comes together; both at 95 %. Revenue in
    several currencies is none.

    Args:
        impressions: as `impressions_of` gives them.
        by: None for all together.

    Returns: the group, impressions, basis, each rate and `revenue_per_1000` with `_low` and `_high`, currency.
    """
    group = pl.lit("all").alias("all") if by is None else pl.col(by.value)
    name = "all" if by is None else by.value
    rows = impressions.with_columns(group)
    several = (pl.col("currency").drop_nulls().n_unique() > 1) | pl.col("has_currencies").any()
    counted = rows.group_by(name).agg(
        pl.col(list(_RATES)).sum().cast(pl.Float64),
        impressions=pl.len(),
        basis=pl.when(pl.col("basis").n_unique() > 1).then(pl.lit("mixed")).otherwise(pl.col("basis").first()),
        currency=pl.when(several).then(None).otherwise(pl.col("currency").drop_nulls().first()),
        is_mixed=several,
    )
    with_revenue = counted.join(_revenue(rows, name), on=name, nulls_equal=True)
    unknown = [pl.when("is_mixed").then(None).otherwise(pl.col(each)).alias(each) for each in _interval_names("revenue_per_1000")]
    intervals = [each for rate in _RATES for each in _wilson(pl.col(rate), pl.col("impressions"), rate)]
    table = with_revenue.with_columns(*intervals, *unknown)
    order = [name] if by is Grouping.POSITION else ["impressions", name]
    columns = [name, "impressions", "basis", *(each for rate in _RATES for each in _interval_names(rate))]
    sorted_rows = table.sort(order, descending=[each == "impressions" for each in order], nulls_last=True)
    return sorted_rows.select(*columns, *_interval_names("revenue_per_1000"), "currency")


def exploration_against_replaced(impressions: pl.DataFrame) -> pl.DataFrame:
    """What explored places brought against what the ranking puts at the same places of the same surfaces.

    Which lists explore a place is chance alone, so the ranked items at it are what the explored ones replaced. They are weighted as the
    explored places are spread over surfaces and positions.

    Args:
        impressions: as `impressions_of` gives them.

    Returns: a row a rate: `rate`, `explored_impressions`, `explored`, `replaced`, `difference` with `_low` and `_high`; none without
        explored places that have a ranked one to be held against.
    """
    stratum, values = ["surface", "position"], [*_RATES, "revenue_per_1000"]
    rows = impressions.with_columns(*(pl.col(rate).cast(pl.Float64) for rate in _RATES), revenue_per_1000=pl.col("revenue") * _THOUSAND)
    sides = [
        rows.filter(pl.col("placement") == side)
        .group_by(stratum)
        .agg(pl.len().cast(pl.Float64).alias("n"), pl.col(values).mean(), pl.col(values).var().fill_null(0.0).name.suffix("_var"))
        for side in ("explored", "ranked")
    ]
    both = sides[0].join(sides[1], on=stratum, nulls_equal=True, suffix="_ranked")
    if both.is_empty():
        return pl.DataFrame()
    return pl.concat([_difference(both, value) for value in values])


def _difference(both: pl.DataFrame, value: str) -> pl.DataFrame:
    share = pl.col("n") / pl.col("n").sum()
    spread = share**2 * (pl.col(f"{value}_var") / pl.col("n") + pl.col(f"{value}_var_ranked") / pl.col("n_ranked"))
    found = both.select(
        rate=pl.lit(value),
        explored_impressions=pl.col("n").sum().cast(pl.Int64),
        explored=(share * pl.col(value)).sum(),
        replaced=(share * pl.col(f"{value}_ranked")).sum(),
        away=_Z * spread.sum().sqrt(),
    )
    difference = pl.col("explored") - pl.col("replaced")
    low, high = difference - pl.col("away"), difference + pl.col("away")
    return found.head(1).with_columns(difference=difference, difference_low=low, difference_high=high).drop("away")


def _revenue(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Revenue of a thousand impressions: a ratio of sums over lists, with the variance of one."""
    lists = rows.group_by(name, "request_id").agg(y=pl.col("revenue").sum(), n=pl.len().cast(pl.Float64))
    ratio = pl.col("y").sum().over(name) / pl.col("n").sum().over(name)
    off = (pl.col("y") - ratio * pl.col("n")) ** 2
    sums = lists.with_columns(off=off).group_by(name).agg(pl.col("y", "n", "off").sum(), m=pl.len().cast(pl.Float64))
    value = pl.col("y") / pl.col("n") * _THOUSAND
    away = pl.when(pl.col("m") > 1).then(_Z * (pl.col("off") * pl.col("m") / (pl.col("m") - 1)).sqrt() / pl.col("n") * _THOUSAND)
    names = _interval_names("revenue_per_1000")
    return sums.select(name, value.alias(names[0]), (value - away).clip(lower_bound=0).alias(names[1]), (value + away).alias(names[2]))


def _wilson(successes: pl.Expr, trials: pl.Expr, name: str) -> list[pl.Expr]:
    share, square = successes / trials, _Z**2
    middle = (share + square / (2 * trials)) / (1 + square / trials)
    away = _Z / (1 + square / trials) * (share * (1 - share) / trials + square / (4 * trials**2)).sqrt()
    value, low, high = _interval_names(name)
    return [share.alias(value), (middle - away).clip(0, 1).alias(low), (middle + away).clip(0, 1).alias(high)]


def _interval_names(rate: str) -> tuple[str, str, str]:
    return rate, f"{rate}_low", f"{rate}_high"
