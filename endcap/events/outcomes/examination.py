"""How likely somebody looks at a place of a list: measured where chance put the items there, assumed where that is too little.

Places from the second on are compared by the items that explore them: which place of a list an explored item gets is drawn evenly. The
first never explores; it is compared with the second by lists in which the two were exchanged. Both are ratios of click rates over strata
within which chance decided alone (Mantel and Haenszel 1959), their intervals those of Greenland and Robins (Biometrics 1985).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp, log, sqrt
from statistics import NormalDist
from typing import Literal

import polars as pl

from endcap.contracts.outcome import Objective

EXAMINATION_POWER = 0.5
"""Of the power law of places (Joachims, Swaminathan and Schnabel, WSDM 2017), until a shop's own places say otherwise."""

CLICKS_ENOUGH = 30
"""Clicks on either side from which on a ratio is believed."""

_SECOND = 2


@dataclass(frozen=True, slots=True)
class PlaceChance:
    """How likely one place is looked at.

    Attributes:
        position: from 1.
        chance: relative to the first place's.
        low, high: ends of the 95 % interval; None where the chance is assumed.
        source: `assumed` (the power law), `swapped` (the first two exchanged), `explored`, or `explored from assumed` where the second
            place, which explored ones are compared with, is assumed itself.
    """

    position: int
    chance: float
    low: float | None
    high: float | None
    source: Literal["assumed", "swapped", "explored", "explored from assumed"]


@dataclass(frozen=True)
class Examination:
    """The chance of every place.

    Attributes:
        power: of the law that places without a measurement follow.
        measured: by position.
    """

    power: float = EXAMINATION_POWER
    measured: Mapping[int, PlaceChance] = field(default_factory=dict)

    def of(self, position: int) -> PlaceChance:
        return self.measured.get(position) or PlaceChance(position, position**-self.power, None, None, "assumed")

    def summary(self) -> str:
        """Which places are measured, for people."""
        assumed = f"assumed: place^-{self.power:g}"
        places = ", ".join(str(position) for position in sorted(self.measured))
        return f"measured: places {places}; others {assumed}" if places else assumed

    def chance(self, position: pl.Expr) -> pl.Expr:
        """The chance of each place, the first one's being 1.

        Args:
            position: from 1.
        """
        assumed = position.cast(pl.Float64).pow(-self.power)
        if not self.measured:
            return assumed
        known = {place: each.chance for place, each in self.measured.items()}
        return position.cast(pl.Int64).replace_strict(known, default=None, return_dtype=pl.Float64).fill_null(assumed)


ASSUMED = Examination()


def measured_examination(outcomes: pl.DataFrame, power: float = EXAMINATION_POWER, clicks_enough: int = CLICKS_ENOUGH) -> Examination:
    """What explored and swapped places say.

    Args:
        outcomes: rows of the contract `Outcome`; those of other objectives than the click are left out.
        power: of the law for places without enough clicks.
        clicks_enough: on either side of a comparison.
    """
    clicks = outcomes.filter(pl.col("objective") == Objective.CLICK.value)
    swapped = _ratio(_first_two(clicks), clicks_enough)
    found: dict[int, PlaceChance] = {}
    if swapped is not None:
        found[_SECOND] = PlaceChance(_SECOND, *swapped.interval(), "swapped")
    base = swapped or _Ratio(log(_SECOND**-power), 0.0)
    explored = clicks.filter(pl.col("placement") == "explored").select("surface", "position", "followed")
    for position in sorted(set(explored["position"]) - {1, _SECOND}):
        compared = explored.filter(pl.col("position").is_in([_SECOND, position]))
        ratio = _ratio(
            compared.select(stratum=pl.col("surface"), is_lower=pl.col("position") == position, followed="followed"), clicks_enough
        )
        if ratio is not None:
            both = _Ratio(base.log_ratio + ratio.log_ratio, base.variance + ratio.variance)
            found[position] = PlaceChance(position, *both.interval(), "explored" if swapped else "explored from assumed")
    return Examination(power, found)


def _first_two(clicks: pl.DataFrame) -> pl.DataFrame:
    """Items of the first two places, where chance decided which was which: the better one and the other are a stratum each."""
    top = clicks.filter(pl.col("position") <= _SECOND)
    swapped = (pl.col("placement") == "swapped").any().over("request_id")
    could_swap = ((pl.col("position") == 1) & (pl.col("propensity") < 1)).any().over("request_id")
    stayed = (pl.col("placement") != "explored").all().over("request_id")
    is_lower = pl.col("position") == _SECOND
    return top.filter(could_swap & stayed).select(
        stratum=pl.format("{}/{}", pl.col("surface").fill_null(""), is_lower != swapped), is_lower=is_lower, followed="followed"
    )


@dataclass(frozen=True, slots=True)
class _Ratio:
    log_ratio: float
    variance: float

    def interval(self, level: float = 0.95) -> tuple[float, float, float]:
        """Value, low and high."""
        away = NormalDist().inv_cdf((1 + level) / 2) * sqrt(self.variance)
        return exp(self.log_ratio), exp(self.log_ratio - away), exp(self.log_ratio + away)


def _ratio(compared: pl.DataFrame, clicks_enough: int) -> _Ratio | None:
    """Click rate of the lower place over the upper one's; None when there are too few clicks.

    Args:
        compared: columns stratum, is_lower, followed.
        clicks_enough: on either side.
    """
    lower, upper = pl.col("is_lower"), ~pl.col("is_lower")
    cells = compared.group_by("stratum").agg(
        a=(pl.col("followed") & lower).sum().cast(pl.Float64),
        b=(pl.col("followed") & upper).sum().cast(pl.Float64),
        n=lower.sum().cast(pl.Float64),
        m=upper.sum().cast(pl.Float64),
    )
    cells = cells.filter(pl.col("n") > 0, pl.col("m") > 0)
    if cells.is_empty() or min(cells["a"].sum(), cells["b"].sum()) < clicks_enough:
        return None
    a, b, n, m = (pl.col(name) for name in ("a", "b", "n", "m"))
    total = n + m
    lower_sum, upper_sum, spread = cells.select(
        x=(a * m / total).sum(), y=(b * n / total).sum(), z=((n * m * (a + b) - a * b * total) / total**2).sum()
    ).row(0)
    return _Ratio(log(lower_sum / upper_sum), spread / (lower_sum * upper_sum))
