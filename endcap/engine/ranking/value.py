"""The value of showing a candidate: a weighted product of calibrated probabilities, margin and price, as its surface configures it."""

from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

PROBABILITY_FLOOR = 1e-6
MARGIN_FLOOR = 0.01
"""An item sold at a loss is worth little, not nothing: a product with a zero in it would order nothing."""
PRICE_FLOOR = 0.01

CATALOGUE_VALUES = ("margin", "price")

BUY_VALUE: Mapping[str, float] = {"buy": 1.0}
JOINED_VALUE: Mapping[str, float] = {"buy": 1.0, "cart": 0.5, "view": 0.25}
"""Of data with few purchases: carts and views, which are many, say what purchases cannot."""
FEW_PURCHASES = 1000
"""With fewer candidates that were bought in the ranker's windows, carts and views join the value."""


def default_value(happened: Mapping[str, int]) -> dict[str, float]:
    """The exponents of a surface that states none: of `buy` alone where purchases are many, or nothing else is trained.

    Args:
        happened: by trained objective, the candidates of which it came true.
    """
    if happened.get("buy", 0) >= FEW_PURCHASES or not {"cart", "view"} & set(happened):
        return dict(BUY_VALUE)
    return {name: exponent for name, exponent in JOINED_VALUE.items() if name in happened}


def usable_value(stated: Mapping[str, float] | None, default: Mapping[str, float], trained: Collection[str]) -> dict[str, float]:
    """The exponents that a bundle can answer for: those stated without objectives that it was not trained for.

    Args:
        stated: what a surface says; None for the bundle's own.
        default: the bundle's own, which also stands in where nothing of what is stated is trained.
        trained: the bundle's objectives.
    """
    known = {name: exponent for name, exponent in (stated or default).items() if name in trained or name in CATALOGUE_VALUES}
    return known or {name: exponent for name, exponent in default.items() if name in trained}


def value_scores(
    probabilities: Mapping[str, NDArray[np.float32]],
    exponents: Mapping[str, float],
    margin: NDArray[np.float32] | None = None,
    price: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """prod over objectives of probability ** exponent, times margin ** a, times price ** b; float32 [m].

    Args:
        probabilities: by objective, float32 [m] in [0, 1].
        exponents: by objective, and under `margin` and `price`; one that is missing counts as 0, so it does not matter.
        margin: float32 [m], share of the price, NaN where unknown.
        price: float32 [m], NaN where unknown.

    Raises:
        KeyError: an exponent's objective has no probabilities.
    """
    if len(exponents) == 1 and next(iter(exponents.values())) == 1 and next(iter(exponents)) in probabilities:
        return probabilities[next(iter(exponents))]
    columns = {"margin": (margin, MARGIN_FLOOR), "price": (price, PRICE_FLOOR)}
    logs = []
    for name, exponent in exponents.items():
        if not exponent:
            continue
        if name in columns:
            values, floor = columns[name]
            if values is not None:
                logs.append(np.float32(exponent) * _known_logs(values, floor))
        else:
            logs.append(np.float32(exponent) * np.log(np.maximum(probabilities[name], PROBABILITY_FLOOR)))
    count = len(next(iter(probabilities.values())))
    value: NDArray[np.float32] = np.exp(np.sum(logs, axis=0)).astype(np.float32) if logs else np.ones(count, dtype=np.float32)
    return value


def untrained_objectives(stated: Mapping[str, float] | None, trained: Collection[str]) -> list[str]:
    """What a surface's value names that a bundle was not trained for, in the order it is stated; an exponent of 0 asks for nothing.

    Args:
        stated: what a surface says; None for the bundle's own.
        trained: the bundle's objectives.
    """
    return [name for name, exponent in (stated or {}).items() if exponent and name not in trained and name not in CATALOGUE_VALUES]


def _known_logs(values: NDArray[np.float32], floor: float) -> NDArray[np.float32]:
    """Logarithms; what is unknown counts as the mean of what is known, so that it neither gains nor loses by it."""
    logs = np.log(np.maximum(values, np.float32(floor)))
    unknown = np.isnan(logs)
    if unknown.any():
        logs[unknown] = logs[~unknown].mean() if not unknown.all() else 0
    return logs
