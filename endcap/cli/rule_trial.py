"""What rules change in a list: the same candidates with and without them, for people of the offline feature tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.core.errors import InvalidInput
from endcap.core.settings import RetrievalSettings
from endcap.engine.retrieval.buy_again import buy_again_candidates
from endcap.engine.retrieval.candidates import Candidates, CandidateSet, union
from endcap.engine.retrieval.ease import ease_candidates
from endcap.engine.retrieval.item_to_item import item_to_item_candidates
from endcap.engine.retrieval.left_in_cart import left_in_cart_candidates
from endcap.engine.retrieval.ordering import picks_candidates
from endcap.engine.retrieval.popular import popular_candidates, segments_of
from endcap.engine.retrieval.user_state import UserState
from endcap.engine.rules.context import RuleContext
from endcap.engine.rules.rule_book import RuleBook
from endcap.engine.rules.rule_effects import RuleEffects
from endcap.engine.slate.assembly import assemble
from endcap.engine.slate.families import NO_FAMILIES, families_of
from endcap.engine.slate.slate import Slate
from endcap.features.names import USER_FEATURES, USER_ITEM_FEATURES
from endcap.release.bundle.tables import BundleTables

PICKED = "picks"
"""Stands among an item's rules when an editor picked it."""


@dataclass(frozen=True)
class TrialRequest:
    """A list to make: on which surface, how long, when, about which items (int32 [r]), for which device and region.

    `one_of_family` says whether it shows one item of a family, `own_families` whether those of the items that it is about too.
    """

    surface: str
    k: int
    now: datetime
    items: NDArray[np.int32]
    device: str | None = None
    region: str | None = None
    one_of_family: bool = False
    own_families: bool = True


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
        left: items in stock that the rules which hold do not exclude.
    """

    holding: tuple[str, ...]
    touched: NDArray[np.int64]
    places: tuple[Place, ...]
    left: int


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
        families = items.family_code if request.one_of_family and items.has_families else None
        page = NO_FAMILIES if families is None or request.own_families else families_of(request.items, families)
        plainly = assemble(without.fused, request.k, families=_of(without.index, families), page_families=page)
        before = without.index[plainly.rows]
        slate, rows = _ruled(candidates, effects, request.k, families, page)
        return Trial(
            holding=tuple(name for name, _ in active.names),
            touched=effects.counts(len(book.rules)),
            places=_places(before, candidates, effects, slate, rows, set(book.picks(active).tolist())),
            left=_left(book.excluded(active), items.available),
        )

    def _by_source(self, state: UserState, segments: list[str], request: TrialRequest) -> dict[str, Candidates]:
        tables, quotas = self._tables, self._quotas

        def eligible(index: NDArray[np.int32]) -> NDArray[np.bool_]:
            return tables.items.available[index] & ~np.isin(index, request.items)

        found = {"item_to_item": item_to_item_candidates(tables.item_to_item, state, request.items, eligible, quotas.item_to_item_quota)}
        found["ease"] = ease_candidates(tables.ease, state, request.items, eligible, quotas.ease_quota)
        if not len(request.items):
            found["buy_again"] = buy_again_candidates(tables.repurchase_gap_days, state, eligible, quotas.buy_again_quota)
            found["left_in_cart"] = left_in_cart_candidates(state, eligible, quotas.left_in_cart_quota)
        if not len(request.items) or len(found["item_to_item"].index) < request.k:
            found["popular"] = popular_candidates(tables.popularity, segments, eligible, quotas.popular_quota)
        return found


def _left(excluded: NDArray[np.bool_] | None, available: NDArray[np.bool_]) -> int:
    return int(np.count_nonzero(available if excluded is None else available & ~excluded))


def _of(index: NDArray[np.int32], families: NDArray[np.int32] | None) -> NDArray[np.int32] | None:
    return None if families is None else families[index]


def _ruled(
    candidates: CandidateSet, effects: RuleEffects, k: int, families: NDArray[np.int32] | None, page: NDArray[np.int32]
) -> tuple[Slate, NDArray[np.intp]]:
    """The list with the rules, and the candidate row of each of its rows."""
    rows = np.flatnonzero(~effects.excluded)
    score, own = (candidates.fused * effects.factor)[rows], _of(candidates.index[rows], families)
    slate = assemble(score, k, placements=effects.placements.over(rows), families=own, page_families=page)
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


SAMPLE_RANKS = (0.05, 0.5, 0.95)
"""Without names, people are taken at these places of the order by how much they buy: a lot, as usual, hardly anything."""


@dataclass(frozen=True)
class SampleUser:
    """One person; `row` is what `endcap.engine.retrieval.user_state.user_state` takes, None for somebody unknown."""

    name: str
    row: Mapping[str, Any] | None = None


ANYBODY = SampleUser("somebody unknown")


def sample_users(features_dir: Path, wanted: Sequence[str]) -> list[SampleUser]:
    """The people asked for, else a few that differ and one that nothing is known of.

    Args:
        features_dir: the offline feature tables; where there are none, only somebody unknown is known.
        wanted: user ids.

    Raises:
        InvalidInput: a wanted user has no features.
    """
    source = features_dir / f"{USER_FEATURES}.parquet"
    if not source.is_file():
        if wanted:
            raise InvalidInput("there are no feature tables to know users from", field="--user", value=wanted[0], fix="leave it out")
        return [ANYBODY]
    users = pl.scan_parquet(source)
    chosen = list(wanted) or _chosen(users)
    rows = _latest(users, chosen)
    missing = [name for name in chosen if name not in rows]
    if missing:
        raise InvalidInput("no features of this user", field="--user", value=missing[0], fix=f"name a user of {features_dir}")
    pairs_source = features_dir / f"{USER_ITEM_FEATURES}.parquet"
    pairs = _latest(pl.scan_parquet(pairs_source), chosen) if pairs_source.is_file() else {}
    known = [SampleUser(name, pairs.get(name, {}) | rows[name]) for name in chosen]
    return known if wanted else [*known, ANYBODY]


def _chosen(users: pl.LazyFrame) -> list[str]:
    newest = users.select(pl.col("event_timestamp").max()).collect().item()
    by_baskets = (
        users.filter(pl.col("event_timestamp") == newest)
        .select("user_id", "baskets_90d")
        .sort("baskets_90d", "user_id", descending=[True, False])
    ).collect()["user_id"]
    return list(dict.fromkeys(by_baskets[round(rank * (len(by_baskets) - 1))] for rank in SAMPLE_RANKS)) if len(by_baskets) else []


def _latest(table: pl.LazyFrame, users: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Each user's newest row."""
    newest = table.filter(pl.col("user_id").is_in(list(users))).sort("event_timestamp").group_by("user_id").last().collect()
    return {row["user_id"]: row for row in newest.iter_rows(named=True)}
