"""Comparisons of one number with a constant, which polars answers once: below the constant, at it, and above it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.engine.rules.conditions.columns import SCHEMA

FAR = 1e6
"""Answers this far off, too, show that nothing but the constant divides the line."""
WHOLE_MAX = 2**30

_COMPARISONS: Mapping[tuple[bool, bool, bool], np.ufunc] = {
    (False, False, True): np.greater,
    (False, True, True): np.greater_equal,
    (True, False, False): np.less,
    (True, True, False): np.less_equal,
    (False, True, False): np.equal,
}
"""By the answers below, at and above the constant. All of them are false for NaN, as SQL has it for the unknown."""


@dataclass(frozen=True)
class Threshold:
    """A condition that `compare`s a column with a `value` of its type."""

    column: str
    compare: np.ufunc
    value: Any

    def of(self, numbers: NDArray[Any]) -> NDArray[np.bool_]:
        """bool [m]; a number that is NaN is unknown, and meets no condition."""
        held: NDArray[np.bool_] = self.compare(numbers, self.value)
        return held


def threshold_of(expression: pl.Expr) -> Threshold | None:
    """The threshold of a comparison between a number column and a constant; None for everything else."""
    inputs = expression.meta.pop()
    columns = [part for part in inputs if part.meta.is_column()]
    constants = [part for part in inputs if part.meta.is_literal()]
    if len(inputs) != 2 or len(columns) != 1 or len(constants) != 1:
        return None
    name, constant = columns[0].meta.output_name(), pl.select(constants[0]).item()
    if isinstance(constant, bool) or not isinstance(constant, int | float | Decimal):
        return None
    points = _whole_points(float(constant)) if SCHEMA[name] == pl.Int32() else _points(float(constant))
    if points is None:
        return None
    probe = pl.Series(name, points, dtype=SCHEMA[name]).to_frame()
    below, near_below, same, near_above, above = probe.select_seq(expression.fill_null(False).alias("held"))["held"].to_list()
    compare = _COMPARISONS.get((below, same, above))
    if compare is None or below != near_below or above != near_above:
        return None
    return Threshold(name, compare, points[2])


def _points(constant: float) -> NDArray[Any] | None:
    """float32 [5]: far below the constant, next to it, itself, next to it, far above."""
    if not abs(constant) < FAR:
        return None
    value, far = np.float32(constant), np.float32(FAR)
    return np.array([value - far, np.nextafter(value, -far), value, np.nextafter(value, far), value + far])


def _whole_points(constant: float) -> NDArray[Any] | None:
    """int32 [5], the same of a whole constant."""
    if not abs(constant) < WHOLE_MAX or not constant.is_integer():
        return None
    value = int(constant)
    return np.array([value - WHOLE_MAX, value - 1, value, value + 1, value + WHOLE_MAX], dtype=np.int32)
