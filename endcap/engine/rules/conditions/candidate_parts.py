"""Parts of conditions that depend on the request, worked out for its candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import SOURCES
from endcap.engine.rules.conditions.candidate_values import CandidateValues
from endcap.engine.rules.conditions.columns import SCHEMA
from endcap.engine.rules.conditions.item_bits import answers, numbered
from endcap.engine.rules.conditions.threshold import Threshold, threshold_of


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
