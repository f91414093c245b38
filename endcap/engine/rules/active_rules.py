"""The rules that hold for one kind of request, arranged so that a request only fills in its candidates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endcap.engine.rules.conditions.candidate_parts import CandidatePart, CandidateParts
from endcap.engine.rules.conditions.candidate_values import CandidateValues
from endcap.engine.rules.conditions.condition import Condition, OfItem, holds, parts_of, with_bits
from endcap.engine.rules.conditions.item_bits import AnyColumn, BitPlaces, ColumnSums, ItemBits, Members
from endcap.engine.rules.file.rule_file import Rule
from endcap.engine.rules.rule_effects import Concerned, RuleEffects
from endcap.engine.slate.placements import Cap, MinimumShare, Pin, Placements, Reserve

PLACING_ACTIONS = frozenset({"pin", "reserve", "minimum_share", "cap"})


class RulePlacements:
    """The rules among some that place items."""

    def __init__(self, rules: Sequence[Rule], columns: NDArray[np.intp]) -> None:
        """Arrange rules.

        Args:
            rules: in the order of precedence.
            columns: int64 [r], each rule's column among the packed answers about items, -1 where it has none.
        """
        placing = [place for place, rule in enumerate(rules) if rule.action in PLACING_ACTIONS]
        by_column = [place for place in placing if columns[place] >= 0]
        row = {place: number for number, place in enumerate(by_column)}
        self._members = Members(columns[by_column])
        self._rules = [(rules[place], place, row.get(place)) for place in placing]

    def of(self, by_byte: NDArray[np.uint8], others: Mapping[int, NDArray[np.bool_]], values: CandidateValues) -> Placements:
        """The placements of m candidates.

        Args:
            by_byte: uint8 [b, m], packed answers about items.
            others: bool [m] by place, of the rules that have no column there.
            values: the candidates.
        """
        if not self._rules:
            return Placements()
        held = self._members.of(by_byte)
        groups: dict[str, NDArray[np.int32]] = {}
        pins: list[Pin] = []
        reserves: list[Reserve] = []
        shares: list[MinimumShare] = []
        caps: list[Cap] = []
        for rule, place, row in self._rules:
            member = others[place] if row is None else held[row]
            if rule.pin is not None:
                pins.append(Pin(rule.id, rule.pin.position, member))
            elif rule.reserve is not None:
                reserves.append(Reserve(rule.id, member, tuple(rule.reserve.positions)))
            elif rule.minimum_share is not None:
                shares.append(MinimumShare(rule.id, member, rule.minimum_share.share))
            elif rule.cap is not None:
                if rule.cap.by not in groups:
                    groups[rule.cap.by] = values.groups(rule.cap.by)
                group = np.where(member, groups[rule.cap.by], np.int32(-1)) if rule.where is not None else groups[rule.cap.by]
                caps.append(Cap(rule.id, group, rule.cap.most, rule.cap.within))
        return Placements(tuple(pins), tuple(reserves), tuple(shares), tuple(caps))


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
        self._mixed = [place for place, entry in enumerate(self._rules) if not isinstance(entry.condition, OfItem)]
        conditions = [self._rules[place].condition for place in self._mixed]
        bits = sorted({bit for condition in conditions if condition is not None for bit in parts_of(condition)[0]})
        self._mixed_members = Members(np.array([self._places.column(bit) for bit in bits], dtype=np.intp))
        row = {bit: number for number, bit in enumerate(bits)}
        self._mixed_conditions = [None if condition is None else with_bits(condition, row) for condition in conditions]

    def _arrange_scores(self) -> None:
        log_factors = np.log([_factor(entry.rule) for entry in self._rules]).astype(np.float32)
        has_column = self._columns >= 0
        self._sums = ColumnSums(len(self._places.bytes), self._columns[has_column], log_factors[has_column])
        self._mixed_factors = log_factors[self._mixed]
        excludes = np.array([bool(entry.rule.exclude) for entry in self._rules], dtype=np.bool_)
        self._excluding = AnyColumn(self._columns[has_column & excludes])
        self._mixed_excludes = np.flatnonzero(excludes[self._mixed])

    def effects(self, values: CandidateValues, bits: ItemBits) -> RuleEffects:
        """What the rules do to the candidates."""
        m = len(values.candidates)
        if not self._rules or not m:
            return RuleEffects.none(m)
        packed = bits.rows(values.candidates.index, self._places)
        by_byte = np.ascontiguousarray(packed.T)
        mixed = self._mixed_answers(values, by_byte)
        log_factor = self._sums.of(packed) if self._sums else np.zeros(m, dtype=np.float32)
        excluded = self._excluding.of(by_byte)
        if len(mixed):
            log_factor += self._mixed_factors @ mixed.astype(np.float32)
            excluded |= mixed[self._mixed_excludes].any(axis=0)
        others = dict(zip(self._mixed, mixed, strict=True))
        return RuleEffects(
            factor=np.clip(np.exp(log_factor), FACTOR_MIN, FACTOR_MAX),
            excluded=excluded,
            placements=self._placements.of(by_byte, others, values),
            concerned=Concerned(self.names, self._numbers, packed, self._columns, others),
        )

    def _mixed_answers(self, values: CandidateValues, by_byte: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """bool [q, m], for the rules that are about all items or read candidate columns."""
        mixed = np.ones((len(self._mixed), by_byte.shape[1]), dtype=np.bool_)
        if self._mixed:
            of_candidate = self._parts.answers(values)
            of_item = self._mixed_members.of(by_byte)
            for held, condition in zip(mixed, self._mixed_conditions, strict=True):
                if condition is not None:
                    held[:] = holds(condition, of_item, of_candidate)
        return mixed


def _factor(rule: Rule) -> float:
    scaling = rule.boost or rule.bury
    return 1.0 if scaling is None else scaling.factor
