"""From scored candidates to the finished list."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endcap.engine.exploration.slots import ExploredSlots
from endcap.engine.slate.ceilings import Ceilings
from endcap.engine.slate.diversity import CLOSED, Diversity, PlainOrder
from endcap.engine.slate.families import NO_FAMILIES, family_caps
from endcap.engine.slate.floors import Floors
from endcap.engine.slate.held_places import HeldPlaces, pinned_places
from endcap.engine.slate.placements import Placements
from endcap.engine.slate.slate import Slate, SlotKind
from endcap.engine.slate.window import Window, finite, top_rows

_NO_PLACEMENTS = Placements()

_Choice = tuple[int, SlotKind, str | None]


def assemble(
    score: NDArray[np.float32],
    k: int,
    *,
    placements: Placements = _NO_PLACEMENTS,
    diversity: Diversity | None = None,
    families: NDArray[np.int32] | None = None,
    page_families: NDArray[np.int32] = NO_FAMILIES,
    exploration: ExploredSlots | None = None,
) -> Slate:
    """Choose k' = min(k, m) candidates and their order.

    Place by place the best candidate that no rule speaks against, best by score or, with diversity, by marginal relevance. Precedence is
    pin, reserve, minimum share, cap, one of a family, the category cap of diversity:

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
        families: int32 [m], family code a candidate, 0 for none; the list then has one item of each, the best. None shows all of them.
        page_families: int32 [p], codes of the items that the list stands beside; none of them is in the list.
        exploration: None for none.
    """
    wanted = max(0, min(k, len(score)))
    bounded = finite(score)
    own = family_caps(families, page_families) if families is not None else ()
    cap = diversity.cap(bounded, wanted) if diversity is not None else None
    if own:
        placements = replace(placements, caps=(*placements.caps, *own))
    if cap is not None:
        placements = replace(placements, caps=(*placements.caps, cap))
    slate = _assembled(bounded, wanted, placements, diversity, None if cap is None else cap.most)
    return slate if exploration is None else exploration.fill(slate, bounded, placements)


def _assembled(
    score: NDArray[np.float32], wanted: int, placements: Placements, diversity: Diversity | None, category_most: int | None
) -> Slate:
    if not placements and (diversity is None or not diversity.strength):
        return _by_score(score, wanted)
    window = Window.best(score, wanted, placements)
    try:
        return _Assembly(window, len(score), wanted, placements, diversity).slate(category_most)
    except _WindowTooNarrow:
        return _Assembly(Window.everything(score, wanted), len(score), wanted, placements, diversity).slate(category_most)


def _by_score(score: NDArray[np.float32], wanted: int) -> Slate:
    rows = top_rows(score, wanted).astype(np.int32)
    return Slate(
        rows=rows,
        propensity=np.ones(wanted, np.float32),
        kind=(SlotKind.RANKED,) * wanted,
        rule=(None,) * wanted,
        penalty=np.zeros(wanted, np.float32),
        score=score[rows],
        score_after=score[rows],
    )


class _WindowTooNarrow(Exception):
    """Every item of the window breaks a cap, and one outside does not."""


class _Assembly:
    """One list on its way; `place` is always a place in the window, `position` one in the list, from 1."""

    def __init__(self, window: Window, candidates: int, wanted: int, placements: Placements, diversity: Diversity | None) -> None:
        self._window, self._candidates, self._wanted = window, candidates, wanted
        self._order = (diversity.over(window) if diversity is not None else None) or PlainOrder(window.score)
        self._free = np.ones(len(window), dtype=np.bool_)
        self._ceilings = Ceilings(placements.caps, window)
        self._order.close(self._ceilings.blocked)
        self._floors = Floors(placements.shares, window, wanted)
        self._pinned = pinned_places(placements.pins, window, wanted)
        for position, (place, _) in self._pinned.items():
            self._take(place, position)
        self._held = HeldPlaces(placements.reserves, window, wanted, self._free, set(self._pinned))
        self._certain = {position: self._floors.contributions(places) for position, places in self._held.members.items()}
        self._open = wanted - len(self._pinned) - len(self._held.members)

    def slate(self, category_most: int | None) -> Slate:
        choices: list[_Choice] = []
        worth: list[tuple[float, float]] = []
        for position in range(1, self._wanted + 1):
            if self._ceilings.move_to(position):
                self._order.close_only(self._ceilings.blocked | ~self._free)
            choice = self._at(position)
            choices.append(choice)
            worth.append(self._order.add(choice[0]))
        places = np.array([place for place, _, _ in choices], dtype=np.intp)
        diversified = np.array(worth, dtype=np.float32).reshape(-1, 2)
        return Slate(
            rows=self._window.rows[places],
            propensity=np.ones(self._wanted, np.float32),
            kind=tuple(kind for _, kind, _ in choices),
            rule=tuple(rule for _, _, rule in choices),
            penalty=diversified[:, 0],
            score=self._window.score[places],
            score_after=diversified[:, 1],
            category_most=category_most,
        )

    def _at(self, position: int) -> _Choice:
        pin = self._pinned.get(position)
        if pin is not None:
            return pin[0], SlotKind.PINNED, pin[1]
        if position in self._held.members:
            return self._reserved(position)
        choice = (self._shared(position) if self._floors.asked else None) or self._ranked(position)
        self._open -= 1
        return choice

    def _reserved(self, position: int) -> _Choice:
        members = np.zeros(len(self._window), dtype=np.bool_)
        members[self._held.members[position]] = True
        members &= self._free
        place = self._taken(self._order.among(members & ~self._ceilings.blocked), position)
        if place is None:
            place = self._taken(self._order.among(members), position)
        rule = self._held.filled(position)
        return self._ranked(position) if place is None else (place, SlotKind.RESERVED, rule)

    def _shared(self, position: int) -> _Choice | None:
        due = self._floors.due(self._open, self._contributed())
        if due is None:
            return None
        value = self._order.value
        ranked = int(value.argmax())
        # Where all are closed the first place is nobody's choice.
        is_open = bool(value[ranked] != CLOSED)
        for allowed in (self._free & ~self._ceilings.blocked, self._free):
            place = self._taken(self._order.among(due.serving(allowed)), position)
            if place is not None:
                return (place, SlotKind.RANKED, None) if is_open and place == ranked else (place, SlotKind.SHARE, due.rule(place))
        return None

    def _contributed(self) -> list[int]:
        certain = [0] * len(self._floors)
        for position in self._held.members:
            for number in self._certain[position]:
                certain[number] += 1
        return certain

    def _ranked(self, position: int) -> _Choice:
        place = self._taken(self._order.value, position)
        if place is not None:
            return place, SlotKind.RANKED, None
        if len(self._window) < self._candidates and self._ceilings.has_room_outside(self._candidates):
            raise _WindowTooNarrow
        for blocked in self._ceilings.relaxed():
            place = self._taken(self._order.among(self._free & ~blocked), position)
            if place is not None:
                return place, SlotKind.RELAXED, self._ceilings.broken_rule(place)
        raise AssertionError("a window has at least as many items as the list has places")

    def _taken(self, worth: NDArray[np.float32], position: int) -> int | None:
        """Take the item that is worth most and that no reserved position depends on; None when all are closed."""
        place = int(worth.argmax())
        while worth[place] != CLOSED and not self._held.release(place, position):
            worth = worth.copy()
            worth[place] = CLOSED
            place = int(worth.argmax())
        if worth[place] == CLOSED:
            return None
        self._take(place, position)
        return place

    def _take(self, place: int, position: int) -> None:
        self._free[place] = False
        self._order.close(place)
        full = self._ceilings.count(place, position)
        if full is not None:
            self._order.close(full)
        self._floors.count(place)
