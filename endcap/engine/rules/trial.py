"""What rules change in a list: the same candidates with and without them."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from endcap.core.settings import RetrievalSettings
from endcap.engine.retrieval.buy_again import buy_again_candidates
from endcap.engine.retrieval.candidates import Candidates, CandidateSet, union
from endcap.engine.retrieval.item_to_item import item_to_item_candidates
from endcap.engine.retrieval.picks import picks_candidates
from endcap.engine.retrieval.popular import popular_candidates, segments_of
from endcap.engine.retrieval.user_state import UserState
from endcap.engine.rules.context import RuleContext
from endcap.engine.rules.rule_book import RuleBook
from endcap.engine.rules.rule_effects import RuleEffects
from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.slate import Slate
from endcap.release.bundle.tables import BundleTables

PICKED = "picks"
"""Stands among an item's rules when an editor picked it."""


@dataclass(frozen=True)
class TrialRequest:
    """A list to make: on which surface, how long, when, about which items (int32 [r]), for which device and region."""

    surface: str
    k: int
    now: datetime
    items: NDArray[np.int32]
    device: str | None = None
    region: str | None = None


@dataclass(frozen=True)
class Place:
    """One item's place with the rules and `was`, without them, both from 1 and None where it is not in the list; and the rules at work."""

    item_index: int
    position: int | None
    was: int | None
    rules: tuple[str, ...]

    @property
    def change(self) -> str:
        if self.was is None:
            return "new"
        if self.position is None:
            return "gone"
        moved = self.was - self.position
        return f"up {moved}" if moved > 0 else f"down {-moved}" if moved < 0 else ""


@dataclass(frozen=True)
class Trial:
    """The outcome for one person.

    Attributes:
        holding: ids of the rules that held.
        touched: by rule of the book, how many candidates it is about, int64 [rules].
        places: the list with the rules, then what it lost.
    """

    holding: tuple[str, ...]
    touched: NDArray[np.int64]
    places: tuple[Place, ...]


class RuleTrials:
    """Makes lists without servers: item-to-item, buy-again and popular in the order of their fused ranks."""

    def __init__(self, book: RuleBook, tables: BundleTables, quotas: RetrievalSettings) -> None:
        self._book, self._tables, self._quotas = book, tables, quotas

    def trial(self, state: UserState, request: TrialRequest) -> Trial:
        """One person's list with and without the rules.

        Args:
            state: the person.
            request: what is asked for.
        """
        book, items = self._book, self._tables.items
        segments = segments_of(state.categories, self._tables.user_vocabularies)
        region = request.region or next((name.partition("=")[2] for name in segments if name.startswith("region=")), None)
        active = book.active(RuleContext(request.surface, tuple(segments), request.now, request.device, region))
        plain = self._by_source(state, segments, request)
        without = union(plain, self._quotas.candidates_max)
        required = book.required(active)
        given = np.concatenate([book.picks(active), required[~np.isin(required, without.index)]])
        sources = plain | {"picks": picks_candidates(given, lambda index: items.available[index], len(given))}
        candidates = union(sources, self._quotas.candidates_max)
        bought = state.bought_before(candidates.index)
        effects = book.effects(active, candidates, candidates.fused, {}, items, bought)
        before = without.index[assemble(without.fused, request.k).rows]
        slate, rows = _ruled(candidates, effects, request.k)
        return Trial(
            holding=tuple(name for name, _ in active.names),
            touched=effects.counts(len(book.rules)),
            places=_places(before, candidates, effects, slate, rows, set(book.picks(active).tolist())),
        )

    def _by_source(self, state: UserState, segments: list[str], request: TrialRequest) -> dict[str, Candidates]:
        tables, quotas = self._tables, self._quotas

        def eligible(index: NDArray[np.int32]) -> NDArray[np.bool_]:
            return tables.items.available[index] & ~np.isin(index, request.items)

        found = {"item_to_item": item_to_item_candidates(tables.item_to_item, state, request.items, eligible, quotas.item_to_item_quota)}
        if not len(request.items):
            found["buy_again"] = buy_again_candidates(tables.repurchase_gap_days, state, eligible, quotas.buy_again_quota)
        if not len(request.items) or len(found["item_to_item"].index) < request.k:
            found["popular"] = popular_candidates(tables.popularity, segments, eligible, quotas.popular_quota)
        return found


def _ruled(candidates: CandidateSet, effects: RuleEffects, k: int) -> tuple[Slate, NDArray[np.intp]]:
    """The list with the rules, and the candidate row of each of its rows."""
    rows = np.flatnonzero(~effects.excluded)
    slate = assemble((candidates.fused * effects.factor)[rows], k, placements=effects.placements.over(rows))
    return slate, rows[slate.rows]


def _places(  # noqa: PLR0917
    before: NDArray[np.int32],
    candidates: CandidateSet,
    effects: RuleEffects,
    slate: Slate,
    rows: NDArray[np.intp],
    picked: set[int],
) -> tuple[Place, ...]:
    was = {item: position for position, item in enumerate(before.tolist(), start=1)}
    shown = candidates.index[rows].tolist()
    places = []
    for position, (item, rules) in enumerate(zip(shown, effects.touched(rows, slate.rule), strict=True), start=1):
        places.append(Place(item, position, was.get(item), (*rules, PICKED) if item in picked else tuple(rules)))
    row_of = {item: row for row, item in enumerate(candidates.index.tolist())}
    lost = [item for item in before.tolist() if item not in set(shown)]
    lost_rows = np.array([row_of[item] for item in lost], dtype=np.intp)
    for item, row, rules in zip(lost, lost_rows.tolist(), effects.touched(lost_rows), strict=True):
        places.append(Place(item, None, was[item], (*rules, *_caps_reached(row, rows, effects))))
    return tuple(places)


def _caps_reached(row: int, shown: NDArray[np.intp], effects: RuleEffects) -> list[str]:
    """The caps that leave no place for a candidate in the list."""
    return [cap.rule for cap in effects.placements.caps if cap.group[row] >= 0 and (cap.group[shown] == cap.group[row]).sum() >= cap.most]
