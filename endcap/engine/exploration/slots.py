"""Places of the list that are used to learn about items, and how likely everything that is shown was."""

from dataclasses import dataclass, replace
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from endcap.engine.exploration.evidence import Evidence
from endcap.engine.exploration.exchange import FirstTwoExchange
from endcap.engine.exploration.policy import Policy
from endcap.engine.slate.floors import members_required
from endcap.engine.slate.placements import Placements
from endcap.engine.slate.slate import Slate, SlotKind
from endcap.engine.slate.window import top_rows


@dataclass(frozen=True)
class SlotCounts:
    """One way the rounding can fall: its probability, and explored places for new and for known items."""

    probability: float
    new: int
    known: int

    @property
    def slots(self) -> int:
        return self.new + self.known


def slot_counts(mean: float, new_item_share: float, positions: int, new: int, known: int) -> tuple[SlotCounts, ...]:
    """All ways, their probabilities summing to 1.

    Args:
        mean: explored places in the mean.
        new_item_share: part of them that is for new items, as long as there are any; each kind also gets what the other
            leaves.
        positions: places that may explore.
        new, known: items there are to show.
    """
    possible = []
    for rounded, chance in _rounded(mean):
        slots = min(rounded, positions, new + known)
        for rounded_new, new_chance in _rounded(new_item_share * slots):
            for_new = min(max(rounded_new, slots - known), new)
            possible.append(SlotCounts(chance * new_chance, for_new, slots - for_new))
    return tuple(possible)


def drawn(possible: tuple[SlotCounts, ...], random: np.random.Generator) -> SlotCounts:
    left = random.random()
    for counts in possible:
        left -= counts.probability
        if left < 0:
            return counts
    return possible[-1]


def _rounded(mean: float) -> tuple[tuple[int, float], ...]:
    """The whole numbers around `mean` with the probabilities that give it back."""
    mean = round(mean, 9)
    low = floor(mean)
    return ((low, 1.0),) if mean == low else ((low, 1 - (mean - low)), (low + 1, mean - low))


def explorable_positions(slate: Slate, placements: Placements, most: int) -> NDArray[np.intp]:
    """intp [s]: places of the list, from 0, that may explore: never the first, none that a rule decided.

    Args:
        slate: the list without exploration.
        placements: a share's members stay where `most` fewer of them would be too few.
        most: how many places may explore in one list.
    """
    may = np.array([kind is SlotKind.RANKED for kind in slate.kind], dtype=np.bool_)
    may[:1] = False
    for share in placements.shares:
        member = share.member[slate.rows]
        if int(member.sum()) - most < members_required(share.share, len(slate)):
            may &= ~member
    return np.flatnonzero(may)


def room_by_caps(slate: Slate, placements: Placements, candidates: int) -> NDArray[np.bool_]:
    """bool [m]: candidates of which one more breaks no cap."""
    room = np.ones(candidates, dtype=np.bool_)
    for cap in placements.caps:
        if cap.most <= 0:
            room &= cap.group < 0
        full = _full_groups(cap.group[slate.rows[: cap.within]], cap.most)
        if len(full):
            place = full.searchsorted(cap.group)
            place[place == len(full)] = 0
            room &= full[place] != cap.group
    return room


def _full_groups(listed: NDArray[np.int32], most: int) -> NDArray[np.int32]:
    """int32 [g], ascending: groups of which a list has `most` or more; at least one of each."""
    listed = listed[listed >= 0]
    listed.sort()
    # In order, a group has so many when the one so many places on, itself counted, is of it too.
    last, first = listed[max(most, 1) - 1 :], listed[: max(len(listed) - max(most, 1) + 1, 0)]
    full: NDArray[np.int32] = last[last == first]
    return full


def fit_together(rows: NDArray[np.intp], slate: Slate, score: NDArray[np.float32], placements: Placements, most: int) -> NDArray[np.bool_]:
    """bool [p]: which rows may stay in the pool so that any `most` of it keep to the caps together.

    Args:
        rows: intp [p], candidate rows, each with room for itself.
        slate: the list without exploration.
        score: float32 [m]; where a group has room for fewer than `most`, its best rows stay.
        placements: the caps.
        most: how many of the pool one list may show.
    """
    fits = np.ones(len(rows), dtype=np.bool_)
    best_first = np.argsort(-score[rows], kind="stable")
    for cap in placements.caps:
        group = cap.group[rows]
        in_list = cap.group[slate.rows[: cap.within]]
        room = cap.most - (in_list[None, :] == group[:, None]).sum(axis=1)
        by_group = best_first[np.argsort(group[best_first], kind="stable")]
        ordered = group[by_group]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(rows) else np.zeros(0, np.intp)
        rank = np.empty(len(rows), dtype=np.intp)
        rank[by_group] = np.arange(len(rows)) - np.repeat(starts, np.diff(np.r_[starts, len(rows)]))
        fits &= (group < 0) | (room >= most) | (rank < room)
    return fits


@dataclass(frozen=True)
class ExploredSlots:
    """Which places explore, and what they show.

    share * k places explore in the mean: k = 10 and 0.05 is one place in every second request. They are drawn evenly from the places that
    no rule decided and that are not the first. `new_item_share` of them go to items without evidence of their own as long as there are any
    among the candidates, the rest to known ones, and the policy chooses within each. What it chooses replaces the item at its place; the
    other places stay as they are, so every probability can be written down.

    Attributes:
        policy: how items are chosen.
        evidence: clicks by item index.
        index: int32 [m], item indices of the candidates.
        random: the request's own randomness.
        share: of the list's places, in [0, 1].
        new_item_share: of the explored places, in [0, 1].
        evidence_impressions: discounted impressions from which on an item is known.
        pool_size: most new and most known items that the policy chooses from, the best by score that the list does not show.
        swap_share: of the lists, those whose first two places are exchanged where the ranking alone filled both.
    """

    policy: Policy
    evidence: Evidence
    index: NDArray[np.int32]
    random: np.random.Generator
    share: float = 0.05
    new_item_share: float = 0.5
    evidence_impressions: float = 50.0
    pool_size: int = 50
    swap_share: float = 0.0

    def fill(self, slate: Slate, score: NDArray[np.float32], placements: Placements) -> Slate:
        """The list with its explored places, its first two exchanged now and then, and the propensity of every place.

        Args:
            slate: the list without exploration.
            score: float32 [m], the candidates' scores, finite.
            placements: what the list keeps to, so that no explored item breaks a cap or a share.
        """
        explored, second_stays = self._explored(slate, score, placements)
        return FirstTwoExchange(self.swap_share, self.random).apply(slate, explored, second_stays, placements)

    def _explored(self, slate: Slate, score: NDArray[np.float32], placements: Placements) -> tuple[Slate, float]:
        """The list with its explored places, and the probability that its second place is none."""
        mean = self.share * len(slate)
        most = ceil(round(mean, 9))
        positions = explorable_positions(slate, placements, most) if most else np.zeros(0, np.intp)
        if not len(positions):
            return slate, 1.0
        new, known = self._pools(slate, score, placements, most)
        sizes = [min(self.pool_size, int(np.count_nonzero(pool))) for pool in (new, known)]
        possible = slot_counts(mean, self.new_item_share, len(positions), *sizes)
        counts = drawn(possible, self.random)
        propensity = slate.propensity.copy()
        stays = 1 - sum(way.probability * way.slots for way in possible) / len(positions)
        propensity[positions] = stays
        second_stays = stays if 1 in positions else 1.0
        if not counts.slots:
            return replace(slate, propensity=propensity), second_stays
        kinds_of_item = ((new, counts.new, [way.new for way in possible]), (known, counts.known, [way.known for way in possible]))
        chances = [way.probability for way in possible]
        chosen = [self._chosen(self._best(pool, score), count, ways, chances) for pool, count, ways in kinds_of_item if count]
        rows = np.concatenate([rows for rows, _ in chosen])
        places = self.random.permutation(positions)[: counts.slots]
        propensity[places] = np.concatenate([chance for _, chance in chosen]) / len(positions)
        return _with_explored(slate, places, rows, score, propensity), second_stays

    def _pools(
        self, slate: Slate, score: NDArray[np.float32], placements: Placements, most: int
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """bool [m] each: the new and the known items to choose from."""
        outside = room_by_caps(slate, placements, len(score))
        outside[slate.rows] = False
        is_new = self.evidence.impressions[self.index] < self.evidence_impressions
        new, known = outside & is_new, outside & ~is_new
        if most > 1 and placements.caps:
            rows = np.concatenate([self._best(new, score), self._best(known, score)])
            together = np.zeros(len(score), dtype=np.bool_)
            together[rows[fit_together(rows, slate, score, placements, most)]] = True
            new, known = new & together, known & together
        return new, known

    def _best(self, pool: NDArray[np.bool_], score: NDArray[np.float32]) -> NDArray[np.intp]:
        """Rows of the pool's best items, best first."""
        rows = np.flatnonzero(pool)
        return rows[top_rows(score[rows], self.pool_size)]

    def _chosen(
        self, pool: NDArray[np.intp], count: int, ways: list[int], chances: list[float]
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Choose `count` rows of a pool, and say how likely each was to be chosen at all.

        Args:
            pool: intp [p], candidate rows, best first.
            count: how many to choose, as it was drawn.
            ways: how many it could have been.
            chances: the probability of each of these.
        """
        choice = self.policy.choose(self.evidence.arms(self.index[pool]), max(ways), self.random)
        picked = choice.order[:count]
        chance = np.zeros(count)
        for number, probability in zip(ways, chances, strict=True):
            if number:
                chance += probability * choice.inclusion[number - 1, picked]
        return pool[picked], chance


def _with_explored(
    slate: Slate, places: NDArray[np.intp], rows: NDArray[np.intp], score: NDArray[np.float32], propensity: NDArray[np.float32]
) -> Slate:
    kinds, listed = list(slate.kind), slate.rows.copy()
    penalty, before, after = slate.penalty.copy(), slate.score.copy(), slate.score_after.copy()
    listed[places], before[places], penalty[places], after[places] = rows, score[rows], 0, score[rows]
    for place in places.tolist():
        kinds[place] = SlotKind.EXPLORED
    return replace(slate, rows=listed, propensity=propensity, kind=tuple(kinds), penalty=penalty, score=before, score_after=after)
