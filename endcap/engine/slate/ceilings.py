"""How much room the caps leave while a list grows."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from endcap.engine.slate.placements import Cap
from endcap.engine.slate.window import Window


class Ceilings:
    """Counts a group's items and blocks it when it is full.

    Attributes:
        blocked: bool [w], items of the window that would break a cap at the present position.
    """

    def __init__(self, caps: Sequence[Cap], window: Window) -> None:
        self._caps = list(caps)
        self._window = window
        self._groups = [cap.group[window.rows] for cap in caps]
        self._codes: list[list[int]] = [group.tolist() for group in self._groups]
        self._counts: list[dict[int, int]] = [{} for _ in caps]
        self._full = [self._full_from_the_start(number) for number in range(len(caps))]
        self._ends = {cap.within + 1 for cap in caps if cap.within is not None}
        self._position = 1
        self.blocked = self.broken_by(len(caps))

    def move_to(self, position: int) -> bool:
        """Go on to `position` (from 1); True when a cap ended before it, so that fewer items are blocked."""
        self._position = position
        if position not in self._ends:
            return False
        self.blocked = self.broken_by(len(self._caps))
        return True

    def count(self, place: int, position: int) -> NDArray[np.bool_] | None:
        """The item at `place` of the window stands, or is certain to stand, at `position`; the blocked items when there are more now."""
        grown = False
        for number, cap in enumerate(self._caps):
            group = self._codes[number][place]
            if group < 0 or (cap.within is not None and position > cap.within):
                continue
            counts = self._counts[number]
            counts[group] = counts.get(group, 0) + 1
            if counts[group] == cap.most:
                same = self._groups[number] == group
                self._full[number] |= same
                if self._holds(cap):
                    self.blocked |= same
                    grown = True
        return self.blocked if grown else None

    def broken_by(self, first: int) -> NDArray[np.bool_]:
        """bool [w]: items that would break one of the first so many caps here."""
        broken = np.zeros(len(self._window), dtype=np.bool_)
        for number in range(first):
            if self._holds(self._caps[number]):
                broken |= self._full[number]
        return broken

    def relaxed(self) -> Iterator[NDArray[np.bool_]]:
        """Ways to give way, the smallest first: bool [w], blocked with the last cap dropped, with the last two dropped, and so on."""
        return (self.broken_by(kept) for kept in range(len(self._caps) - 1, -1, -1))

    def broken_rule(self, place: int) -> str | None:
        """The first cap that the item at `place` of the window breaks here."""
        return next((cap.rule for number, cap in enumerate(self._caps) if self._holds(cap) and self._full[number][place]), None)

    def has_room_outside(self, candidates: int) -> bool:
        """Whether a candidate that is not in the window breaks no cap here."""
        room = np.ones(candidates, dtype=np.bool_)
        room[self._window.rows] = False
        for cap, counts in zip(self._caps, self._counts, strict=True):
            if not self._holds(cap):
                continue
            if cap.most <= 0:
                room &= cap.group < 0
            for group, count in counts.items():
                if count >= cap.most:
                    room &= cap.group != group
        return bool(room.any())

    def _holds(self, cap: Cap) -> bool:
        return cap.within is None or self._position <= cap.within

    def _full_from_the_start(self, number: int) -> NDArray[np.bool_]:
        if self._caps[number].most > 0:
            return np.zeros(len(self._window), dtype=np.bool_)
        return self._groups[number] >= 0
