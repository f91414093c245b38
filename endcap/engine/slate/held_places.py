"""Places that rules keep: pins, and reserves with enough members held back for them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from endcap.engine.slate.placements import Pin, Reserve
from endcap.engine.slate.window import Window


def pinned_places(pins: Sequence[Pin], window: Window, wanted: int) -> dict[int, tuple[int, str]]:
    """Position -> place in the window and rule of what is pinned there; earlier rules choose first."""
    pinned: dict[int, tuple[int, str]] = {}
    free = np.ones(len(window), dtype=np.bool_)
    for pin in pins:
        if not 1 <= pin.position <= wanted or pin.position in pinned:
            continue
        members = pin.member[window.rows] & free
        best = int(members.argmax())
        if members[best]:
            pinned[pin.position] = (best, pin.rule)
            free[best] = False
    return pinned


class HeldPlaces:
    """Reserved positions, each with a member held back for it, so that an earlier place does not use up the last one.

    Holding is a matching of positions to members by augmenting paths (Kuhn 1955): a later reserve never takes a place from an earlier one,
    and overlapping reserves all hold when they can. Which member is held is open until the position is filled.

    Attributes:
        members: position -> places in the window of its reserve's best free members, best first; only positions that can be held.
    """

    def __init__(self, reserves: Sequence[Reserve], window: Window, wanted: int, free: NDArray[np.bool_], taken: set[int]) -> None:
        self.members: dict[int, list[int]] = {}
        self._rules: dict[int, str] = {}
        self._held_at: dict[int, int] = {}
        self._holder: dict[int, int] = {}
        self._free = free
        for reserve in reserves:
            best = np.flatnonzero(reserve.member[window.rows] & free)[:wanted].tolist()
            for position in sorted(set(reserve.positions)):
                if 1 <= position <= wanted and position not in taken and position not in self.members:
                    self._reserve(position, reserve.rule, best)

    def release(self, place: int, position: int) -> bool:
        """Ask to use the item at `place` of the window at `position`; False when another reserved position has nothing but it."""
        if not self._holder:
            return True
        own = self._held_at.pop(position, None)
        if own is not None:
            del self._holder[own]
        needing = self._holder.get(place)
        if needing is None or self._hold(needing, {place}):
            return True
        if own is not None:
            self._keep(position, own)
        return False

    def filled(self, position: int) -> str:
        """The position is not held any more; the rule that it was held for."""
        del self.members[position]
        return self._rules[position]

    def _reserve(self, position: int, rule: str, members: list[int]) -> None:
        self.members[position] = members
        if self._hold(position, set()):
            self._rules[position] = rule
        else:
            del self.members[position]

    def _hold(self, position: int, tried: set[int]) -> bool:
        """Hold any free member for `position`, moving other positions to other members of theirs where that is needed."""
        usable = [place for place in self.members[position] if place not in tried and self._free[place]]
        unheld = next((place for place in usable if place not in self._holder), None)
        if unheld is not None:
            self._keep(position, unheld)
            return True
        for place in usable:
            if place in tried:
                continue
            tried.add(place)
            if self._hold(self._holder[place], tried):
                self._keep(position, place)
                return True
        return False

    def _keep(self, position: int, place: int) -> None:
        before = self._held_at.get(position)
        if before is not None and self._holder.get(before) == position:
            del self._holder[before]
        self._held_at[position], self._holder[place] = place, position
