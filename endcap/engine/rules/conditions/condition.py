"""A rule's condition, taken apart into what holds for an item at any time and what depends on the request.

The first is worked out for the whole catalogue beforehand; only the second is left to each request.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.engine.rules.conditions.columns import ITEM_NAMES

DEPTH_MAX = 24
"""AND and OR are taken apart so far down; what is deeper stays whole."""


@dataclass(frozen=True)
class OfItem:
    """A part that reads item columns only; `bit` is its place in the packed matrix."""

    bit: int


@dataclass(frozen=True)
class OfCandidate:
    """A part that reads candidate columns; `slot` is its place among these parts."""

    slot: int


@dataclass(frozen=True)
class Both:
    left: "Condition"
    right: "Condition"


@dataclass(frozen=True)
class Either:
    left: "Condition"
    right: "Condition"


Condition = OfItem | OfCandidate | Both | Either


class ConditionParts:
    """Collects the parts of all conditions of a book; equal parts are kept once.

    Unknown counts as no. That may be said of the parts of AND and OR already, since neither turns a no into a yes; what stands inside a
    NOT stays whole.

    Attributes:
        of_items, of_candidates: expressions by `bit` and by `slot`.
    """

    def __init__(self) -> None:
        self.of_items: list[pl.Expr] = []
        self.of_candidates: list[pl.Expr] = []
        self._numbers: dict[bytes, int] = {}

    def add(self, expression: pl.Expr, depth: int = 0) -> Condition:
        """Take a condition apart, or find the parts it was taken into before."""
        if set(expression.meta.root_names()) <= ITEM_NAMES:
            return OfItem(self._number(expression, self.of_items))
        inputs = expression.meta.pop()
        if len(inputs) == 2 and depth < DEPTH_MAX:
            right, left = inputs
            if (left & right).meta.eq(expression):
                return Both(self.add(left, depth + 1), self.add(right, depth + 1))
            if (left | right).meta.eq(expression):
                return Either(self.add(left, depth + 1), self.add(right, depth + 1))
        return OfCandidate(self._number(expression, self.of_candidates))

    def _number(self, expression: pl.Expr, parts: list[pl.Expr]) -> int:
        key = expression.meta.serialize()
        if key not in self._numbers:
            self._numbers[key] = len(parts)
            parts.append(expression)
        return self._numbers[key]


def parts_of(condition: Condition) -> tuple[frozenset[int], frozenset[int]]:
    """The bits and the slots that a condition needs."""
    if isinstance(condition, OfItem):
        return frozenset([condition.bit]), frozenset()
    if isinstance(condition, OfCandidate):
        return frozenset(), frozenset([condition.slot])
    (left_bits, left_slots), (right_bits, right_slots) = parts_of(condition.left), parts_of(condition.right)
    return left_bits | right_bits, left_slots | right_slots


def with_bits(condition: Condition, row: Mapping[int, int]) -> Condition:
    """The same condition over other numbers for its bits."""
    if isinstance(condition, OfItem):
        return OfItem(row[condition.bit])
    if isinstance(condition, OfCandidate):
        return condition
    return type(condition)(with_bits(condition.left, row), with_bits(condition.right, row))


def holds(condition: Condition, of_items: NDArray[np.bool_], of_candidates: Mapping[int, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """bool [m]: where a condition holds.

    Args:
        condition: over the parts below.
        of_items: bool [bits, m].
        of_candidates: by slot, bool [m].
    """
    if isinstance(condition, OfItem):
        held: NDArray[np.bool_] = of_items[condition.bit]
        return held
    if isinstance(condition, OfCandidate):
        return of_candidates[condition.slot]
    left = holds(condition.left, of_items, of_candidates)
    right = holds(condition.right, of_items, of_candidates)
    return left & right if isinstance(condition, Both) else left | right


def narrowing_bit(condition: Condition) -> int | None:
    """A bit that is set for every item that the condition can hold for; None when item columns alone rule nothing out."""
    if isinstance(condition, OfItem):
        return condition.bit
    if isinstance(condition, Both):
        left = narrowing_bit(condition.left)
        return left if left is not None else narrowing_bit(condition.right)
    return None
