"""How many members the minimum shares still need while a list grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from endcap.engine.slate.placements import MinimumShare
from endcap.engine.slate.window import Window

_ROUNDING = 1e-9


def members_required(share: float, places: int) -> int:
    """`share` of `places`, rounded up: 0.2 of 10 is 2, however the product comes out in binary."""
    return ceil(share * places - _ROUNDING)


class Floors:
    """Counts members; when the places left are no more than the members missing, the next place has to be a member's.

    Attributes:
        asked: whether any share asks for a member at all.
    """

    def __init__(self, shares: Sequence[MinimumShare], window: Window, wanted: int) -> None:
        self._rules = [share.rule for share in shares]
        self._member = [share.member[window.rows] for share in shares]
        self._missing = [min(members_required(share.share, wanted), int(share.member.sum())) for share in shares]
        self.asked = any(missing > 0 for missing in self._missing)

    def __len__(self) -> int:
        return len(self._rules)

    def count(self, place: int) -> None:
        """The item at `place` of the window stands in the list, or is certain to."""
        for number, member in enumerate(self._member):
            if member[place]:
                self._missing[number] -= 1

    def contributions(self, places: Sequence[int]) -> tuple[int, ...]:
        """Shares that every one of `places` is a member for, so that whichever of them comes counts."""
        return tuple(number for number, member in enumerate(self._member) if len(places) and bool(member[list(places)].all()))

    def due(self, places_left: int, certain: Sequence[int]) -> "Due | None":
        """The shares that must be served at this place already; None while there is time.

        Args:
            places_left: open places, this one included.
            certain: members that each share is certain to get at places that are not open.
        """
        needed = {number: missing - certain[number] for number, missing in enumerate(self._missing) if missing > certain[number]}
        asked = sum(needed.values())
        if not needed or asked < places_left:
            return None
        members = [self._member[number] for number in needed]
        return Due([self._rules[number] for number in needed], members, fits=asked == places_left)


@dataclass(frozen=True)
class Due:
    """Shares that one place must serve, in order of precedence.

    Attributes:
        rules: their names.
        members: bool [w] each.
        fits: whether the places left are enough to serve them one by one.
    """

    rules: list[str]
    members: list[NDArray[np.bool_]]
    fits: bool

    def serving(self, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """bool [w]: the allowed items to choose from.

        Members of any of the shares while that is enough; else members of the first share, and of them those that serve the next ones too.
        """
        if self.fits:
            served: NDArray[np.bool_] = allowed & np.logical_or.reduce(self.members)
            return served
        best = allowed
        for member in self.members:
            both = best & member
            if both.any():
                best = both
        return best if best is not allowed else np.zeros_like(allowed)

    def rule(self, place: int) -> str | None:
        """The first of the shares that the item at `place` of the window serves."""
        return next((rule for rule, member in zip(self.rules, self.members, strict=True) if member[place]), None)
