"""Parts of conditions that depend on the request, worked out for its candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.retrieval.candidates import SOURCES
from endcap.rules.candidate_values import CandidateValues
from endcap.rules.columns import SCHEMA
from endcap.rules.item_bits import answers


@dataclass(frozen=True)
class CandidatePart:
    """One part.

    Attributes:
        expression: the part.
        column, by_code: where it reads one column of few values only, that column and the bool answers by the value's code; so a
            request looks its answers up.
    """

    expression: pl.Expr
    column: str | None = None
    by_code: NDArray[np.bool_] | None = None

    @classmethod
    def of(cls, expression: pl.Expr) -> "CandidatePart":
        names = set(expression.meta.root_names())
        name = next(iter(names))
        values = _values(name) if len(names) == 1 else None
        return cls(expression) if values is None else cls(expression, name, answers(values.to_frame(), [expression], in_sequence=True)[0])


class CandidateParts:
    """The parts that some rules need together: one select for all that cannot be looked up."""

    def __init__(self, parts: Mapping[int, CandidatePart]) -> None:
        """Arrange parts by slot."""
        self._looked_up = [
            (slot, part.column, part.by_code) for slot, part in parts.items() if part.column is not None and part.by_code is not None
        ]
        self._few_valued = {name for _, name, _ in self._looked_up}
        self._slots = [slot for slot, part in parts.items() if part.column is None]
        self._expressions = [parts[slot].expression for slot in self._slots]
        self._columns = sorted({name for expression in self._expressions for name in expression.meta.root_names()})

    def answers(self, values: CandidateValues) -> dict[int, NDArray[np.bool_]]:
        """By slot, bool [m]."""
        codes = {name: values.codes(name) for name in self._few_valued}
        answered = {slot: by_code.take(codes[name]) for slot, name, by_code in self._looked_up}
        if self._expressions:
            answered |= zip(self._slots, answers(values.frame(self._columns), self._expressions, in_sequence=True), strict=True)
        return answered


def _values(name: str) -> pl.Series | None:
    """The values of a candidate column by code, where they are few."""
    if name == "source":
        return pl.Series(name, SOURCES)
    return pl.Series(name, [False, True]) if SCHEMA[name] == pl.Boolean() else None


def parts_by_slot(expressions: Sequence[pl.Expr]) -> tuple[CandidatePart, ...]:
    return tuple(CandidatePart.of(expression) for expression in expressions)
