"""The rules that hold for one kind of request, arranged so that a request only fills in its candidates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.rules.candidate_parts import CandidatePart, CandidateParts
from endcap.rules.candidate_values import CandidateValues
from endcap.rules.condition import Condition, OfItem, holds, parts_of
from endcap.rules.item_bits import ItemBits
from endcap.rules.packed_answers import AnyColumn, BitPlaces, ColumnSums, members
from endcap.rules.rule_effects import Concerned, RuleEffects
from endcap.rules.rule_file import Rule
from endcap.rules.rule_placements import RulePlacements

FACTOR_MIN, FACTOR_MAX = 1e-3, 1e3
"""All boosts and buries of one candidate together stay within."""


@dataclass(frozen=True)
class BookRule:
    """A rule of a book: its place there, from 0, and its condition, None for all items."""

    number: int
    rule: Rule
    condition: Condition | None


class ActiveRules:
    """Rules that hold together.

    Attributes:
        names: id and action of each, in the book's order.
        picks: int32 [p], items of the editor's picks, the first pick first.
        required: int32 [q], items that must be candidates.
        hiding: bits of the conditions that exclude items whatever the request, ascending.
    """

    def __init__(
        self,
        rules: Sequence[BookRule],
        candidate_parts: Sequence[CandidatePart],
        picks: NDArray[np.int32],
        required: NDArray[np.int32],
    ) -> None:
        """Arrange rules.

        Args:
            rules: in the book's order.
            candidate_parts: the book's, by slot.
            picks, required: as the attributes.
        """
        self.picks, self.required = picks, required
        self.hiding = tuple(sorted({entry.condition.bit for entry in rules if entry.rule.exclude and isinstance(entry.condition, OfItem)}))
        self._rules = tuple(rules)
        self._numbers = np.array([entry.number for entry in rules], dtype=np.int64)
        self.names = tuple((entry.rule.id, entry.rule.action) for entry in rules)
        self._arrange_conditions(candidate_parts)
        self._arrange_scores()
        self._placements = RulePlacements([entry.rule for entry in rules], self._columns)

    def __bool__(self) -> bool:
        return bool(self._rules)

    def _arrange_conditions(self, candidate_parts: Sequence[CandidatePart]) -> None:
        needed = [parts_of(entry.condition) for entry in self._rules if entry.condition is not None]
        self._places = BitPlaces.of({bit for bits, _ in needed for bit in bits})
        self._parts = CandidateParts({slot: candidate_parts[slot] for slot in sorted({slot for _, slots in needed for slot in slots})})
        self._columns = np.array(
            [self._places.column(entry.condition.bit) if isinstance(entry.condition, OfItem) else -1 for entry in self._rules],
            dtype=np.intp,
        )
        mixed = [place for place, entry in enumerate(self._rules) if not isinstance(entry.condition, OfItem)]
        bits = sorted({bit for place in mixed if (held := self._rules[place].condition) is not None for bit in parts_of(held)[0]})
        self._mixed = [(place, self._rules[place].condition) for place in mixed]
        self._mixed_bits = {bit: row for row, bit in enumerate(bits)}
        self._mixed_columns = np.array([self._places.column(bit) for bit in bits], dtype=np.intp)

    def _arrange_scores(self) -> None:
        log_factors = np.log([_factor(entry.rule) for entry in self._rules]).astype(np.float32)
        has_column = self._columns >= 0
        self._sums = ColumnSums(len(self._places.bytes), self._columns[has_column], log_factors[has_column])
        self._mixed_factors = [(place, log_factors[place]) for place, _ in self._mixed if log_factors[place]]
        excludes = np.array([bool(entry.rule.exclude) for entry in self._rules], dtype=np.bool_)
        self._excluding = AnyColumn(self._columns[has_column & excludes])
        self._mixed_excludes = [place for place, _ in self._mixed if excludes[place]]

    def effects(self, values: CandidateValues, bits: ItemBits) -> RuleEffects:
        """What the rules do to the candidates."""
        m = len(values.candidates)
        if not self._rules or not m:
            return RuleEffects.none(m)
        packed = bits.rows(values.candidates.index, self._places)
        others = self._others(values, packed)
        log_factor = self._sums.of(packed) if self._sums else np.zeros(m, dtype=np.float32)
        for place, weight in self._mixed_factors:
            log_factor += weight * others[place]
        excluded = self._excluding.of(packed)
        for place in self._mixed_excludes:
            excluded |= others[place]
        return RuleEffects(
            factor=np.clip(np.exp(log_factor), FACTOR_MIN, FACTOR_MAX),
            excluded=excluded,
            placements=self._placements.of(packed, others, values),
            concerned=Concerned(self.names, self._numbers, packed, self._columns, others),
        )

    def _others(self, values: CandidateValues, packed: NDArray[np.uint8]) -> dict[int, NDArray[np.bool_]]:
        """bool [m] by place, for the rules that are about all items or read candidate columns."""
        if not self._mixed:
            return {}
        of_candidate = self._parts.answers(values)
        of_item = members(packed, self._mixed_columns)
        return {
            place: np.ones(len(packed), dtype=np.bool_)
            if condition is None
            else holds(condition, lambda bit: of_item[self._mixed_bits[bit]], of_candidate.__getitem__)
            for place, condition in self._mixed
        }


def _factor(rule: Rule) -> float:
    scaling = rule.boost or rule.bury
    return 1.0 if scaling is None else scaling.factor
