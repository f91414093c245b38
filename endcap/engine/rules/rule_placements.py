"""What rules ask of the slate, filled in for the candidates of one request."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from endcap.engine.rules.conditions.candidate_values import CandidateValues
from endcap.engine.rules.conditions.packed_answers import Members
from endcap.engine.rules.file.rule_file import Rule
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
