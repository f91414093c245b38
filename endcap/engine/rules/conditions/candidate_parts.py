"""Parts of conditions that depend on the request, worked out for its candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import SOURCES
from endcap.engine.rules.conditions.candidate_values import CandidateValues
from endcap.engine.rules.conditions.columns import SCHEMA
from endcap.engine.rules.conditions.item_bits import answers, numbered

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


@dataclass(frozen=True)
class CandidatePart:
    """One part.

    Attributes:
        expression: the part.
        lookup: where it reads one column of few values only, that column and the bool answers by the value's code.
        threshold: where it compares one number with a constant, its answers below, at and above it.
    """

    expression: pl.Expr
    lookup: tuple[str, NDArray[np.bool_]] | None = None
    threshold: Threshold | None = None

    @classmethod
    def of(cls, expression: pl.Expr) -> "CandidatePart":
        names = set(expression.meta.root_names())
        if len(names) > 1:
            return cls(expression)
        name = next(iter(names))
        values = _values(name)
        if values is None:
            return cls(expression, threshold=threshold_of(expression))
        return cls(expression, lookup=(name, answers(values.to_frame(), [expression])[0]))


class CandidateParts:
    """The parts that some rules need together. Most were answered by polars beforehand, for every value or region of values; for the others
    there is one select."""

    def __init__(self, parts: Mapping[int, CandidatePart]) -> None:
        """Arrange parts by slot."""
        self._lookups = [(slot, *part.lookup) for slot, part in parts.items() if part.lookup is not None]
        self._thresholds = [(slot, part.threshold) for slot, part in parts.items() if part.threshold is not None]
        self._few_valued = {name for _, name, _ in self._lookups}
        self._compared = {threshold.column for _, threshold in self._thresholds}
        rest = {slot: part.expression for slot, part in parts.items() if part.lookup is None and part.threshold is None}
        self._slots, self._expressions = list(rest), numbered(rest.values())
        self._columns = sorted({name for expression in self._expressions for name in expression.meta.root_names()})

    def answers(self, values: CandidateValues) -> dict[int, NDArray[np.bool_]]:
        """By slot, bool [m]."""
        codes = {name: values.codes(name) for name in self._few_valued}
        numbers = {name: values.numbers(name) for name in self._compared}
        answered = {slot: by_code.take(codes[name]) for slot, name, by_code in self._lookups}
        answered |= {slot: threshold.of(numbers[threshold.column]) for slot, threshold in self._thresholds}
        if self._expressions:
            answered |= zip(self._slots, answers(values.frame(self._columns), self._expressions), strict=True)
        return answered


def _values(name: str) -> pl.Series | None:
    """The values of a candidate column by code, where they are few."""
    if name == "source":
        return pl.Series(name, SOURCES)
    return pl.Series(name, [False, True]) if SCHEMA[name] == pl.Boolean() else None


def parts_by_slot(expressions: Sequence[pl.Expr]) -> tuple[CandidatePart, ...]:
    return tuple(CandidatePart.of(expression) for expression in expressions)
