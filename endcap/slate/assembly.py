"""From scored candidates to the finished list."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endcap.exploration.slots import ExploredSlots
from endcap.slate.ceilings import Ceilings
from endcap.slate.diversity import Diversity, MarginalRelevance
from endcap.slate.floors import Floors
from endcap.slate.held_places import HeldPlaces, pinned_places
from endcap.slate.placements import Placements
from endcap.slate.slate import Slate, SlotKind
from endcap.slate.window import Window, finite

_NO_PLACEMENTS = Placements()
_NOT_ALLOWED = np.float32(-np.inf)

_Choice = tuple[int, SlotKind, str | None]


def assemble(
    score: NDArray[np.float32],
    k: int,
    *,
    placements: Placements = _NO_PLACEMENTS,
    diversity: Diversity | None = None,
    exploration: ExploredSlots | None = None,
) -> Slate:
    """Choose k' = min(k, m) candidates and their order.

    Place by place the best candidate that no rule speaks against, best by score or, with diversity, by marginal relevance. Precedence is
    pin, reserve, minimum share, cap, the category cap of diversity:

    - A pin takes the best of its members that no earlier pin took.
    - A reserved place takes a member, and members are held back for it as long as there are any.
    - A minimum share waits until the places left are just enough, then takes its best members.
    - A cap holds against the ranking. It gives way to the three above, and where nothing else is left: then the last cap is dropped
      first, and the place is called relaxed.

    Explored places are filled last and never where a rule decided.

    Args:
        score: float32 [m], higher is better; NaN ranks last. Equal scores keep the order of their rows.
        k: length of the list.
        placements: what the rules ask for, over the same m candidates.
        diversity: None for none.
        exploration: None for none.
    """
    wanted = max(0, min(k, len(score)))
    bounded = finite(score)
    if diversity is not None and diversity.caps:
        placements = replace(placements, caps=placements.caps + diversity.caps)
    slate = _assembled(bounded, wanted, placements, diversity)
    return slate if exploration is None else exploration.fill(slate, bounded, placements)


def _assembled(score: NDArray[np.float32], wanted: int, placements: Placements, diversity: Diversity | None) -> Slate:
    window = Window.best(score, wanted, placements)
    try:
        return _Assembly(window, len(score), wanted, placements, diversity).slate()
    except _WindowTooNarrow:
        return _Assembly(Window.everything(score, wanted), len(score), wanted, placements, diversity).slate()


class _WindowTooNarrow(Exception):
    """Every item of the window breaks a cap, and one outside does not."""


class _Assembly:
    """One list on its way; `place` is always a place in the window, `position` one in the list, from 1."""

    def __init__(self, window: Window, candidates: int, wanted: int, placements: Placements, diversity: Diversity | None) -> None:
        self._window, self._candidates, self._wanted = window, candidates, wanted
        self._measure: MarginalRelevance | None = diversity.over(window) if diversity is not None else None
        self._free = np.ones(len(window), dtype=np.bool_)
        self._ceilings = Ceilings(placements.caps, window)
        self._floors = Floors(placements.shares, window, wanted)
        self._pinned = pinned_places(placements.pins, window, wanted)
        for position, (place, _) in self._pinned.items():
            self._take(place, position)
        self._held = HeldPlaces(placements.reserves, window, wanted, self._free, set(self._pinned))
        self._certain = {position: self._floors.contributions(places) for position, places in self._held.members.items()}
        self._open = wanted - len(self._pinned) - len(self._held)

    def slate(self) -> Slate:
        places: list[int] = []
        kinds: list[SlotKind] = []
        rules: list[str | None] = []
        penalty, after = np.zeros(self._wanted, np.float32), np.zeros(self._wanted, np.float32)
        for position in range(1, self._wanted + 1):
            self._ceilings.move_to(position)
            place, kind, rule = self._at(position)
            if self._measure is not None:
                penalty[position - 1], after[position - 1] = self._measure.penalty[place], self._measure.value[place]
                self._measure.add(place)
            places.append(place)
            kinds.append(kind)
            rules.append(rule)
        score = self._window.score[places] if places else np.zeros(0, np.float32)
        return Slate(
            rows=self._window.rows[places] if places else np.zeros(0, np.int32),
            propensity=np.ones(self._wanted, np.float32),
            kind=tuple(kinds),
            rule=tuple(rules),
            penalty=penalty,
            score=score,
            score_after=score if self._measure is None else after,
        )

    def _at(self, position: int) -> _Choice:
        pin = self._pinned.get(position)
        if pin is not None:
            return pin[0], SlotKind.PINNED, pin[1]
        if position in self._held:
            return self._reserved(position)
        choice = (self._shared(position) if self._floors else None) or self._ranked(position)
        self._open -= 1
        return choice

    def _reserved(self, position: int) -> _Choice:
        members = np.zeros(len(self._window), dtype=np.bool_)
        members[self._held.members[position]] = True
        rule = self._held.rule(position)
        place = self._taken_best(members & ~self._ceilings.blocked, position)
        if place is None:
            place = self._taken_best(members, position)
        self._held.filled(position)
        return self._ranked(position) if place is None else (place, SlotKind.RESERVED, rule)

    def _shared(self, position: int) -> _Choice | None:
        due = self._floors.due(self._open, self._contributed())
        if due is None:
            return None
        room = self._free & ~self._ceilings.blocked
        ranked = int(self._worth(room).argmax())
        for allowed in (room, self._free):
            place = self._taken_best(due.serving(allowed), position)
            if place is not None:
                return (place, SlotKind.RANKED, None) if place == ranked else (place, SlotKind.SHARE, due.rule(place))
        return None

    def _contributed(self) -> list[int]:
        certain = [0] * len(self._floors)
        for position in self._held.members:
            for number in self._certain[position]:
                certain[number] += 1
        return certain

    def _ranked(self, position: int) -> _Choice:
        place = self._taken_best(~self._ceilings.blocked, position)
        if place is not None:
            return place, SlotKind.RANKED, None
        if len(self._window) < self._candidates and self._ceilings.has_room_outside(self._candidates):
            raise _WindowTooNarrow
        for blocked in self._ceilings.relaxed():
            place = self._taken_best(~blocked, position)
            if place is not None:
                return place, SlotKind.RELAXED, self._ceilings.broken_rule(place)
        raise AssertionError("a window has at least as many items as the list has places")

    def _worth(self, allowed: NDArray[np.bool_]) -> NDArray[np.float32]:
        """float32 [w]: what each allowed free item is worth next; minus infinity for the others."""
        value = self._window.score if self._measure is None else self._measure.value
        return np.where(allowed & self._free, value, _NOT_ALLOWED)

    def _taken_best(self, allowed: NDArray[np.bool_], position: int) -> int | None:
        """Take the best allowed item that no reserved position depends on; None when there is none."""
        worth = self._worth(allowed)
        while True:
            place = int(worth.argmax())
            if worth[place] == _NOT_ALLOWED:
                return None
            if not len(self._held) or self._held.release(place, position):
                break
            worth[place] = _NOT_ALLOWED
        self._take(place, position)
        return place

    def _take(self, place: int, position: int) -> None:
        self._free[place] = False
        self._ceilings.count(place, position)
        self._floors.count(place)
