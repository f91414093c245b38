"""What a person did since the batch features: taken from the row that the stream wrote, without what the batch or the present visit has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endcap.contracts.moment import DAY_S
from endcap.contracts.recent_kind import RECENT_KINDS, RecentKind
from endcap.contracts.signals import SIGNAL_TYPES, VIEW_CODE
from endcap.engine.retrieval.sorted_places import places_in
from endcap.features.columns import RECENT_MOVED, RECENT_TOUCHES

_AT_BITS = 33
"""Epoch seconds fit into so many bits, for centuries."""

_KIND_BITS = 4


@dataclass(frozen=True)
class BatchMoment:
    """Where the batch features stand.

    Attributes:
        at_s: events from here on are not in them, UTC epoch seconds; minus infinity where there are none.
        elapsed_days: by how much they are aged.
    """

    at_s: float
    elapsed_days: float


NO_BATCH = BatchMoment(-np.inf, 0.0)


@dataclass(frozen=True)
class RecentTouches:
    """Events of a person, [e], oldest first; also those from before the batch, for what was taken back of them since.

    Attributes:
        index: int32, item indices; none is 0.
        at_s: int64, when, by the events, UTC epoch seconds.
        age_days: float64, as of the request.
        kind: int64, codes of RecentKind.
        signal: int64, what it is in the history; 0 for nothing, ENDS_TOUCHES where it ends what was there.
        is_new: bool, whether it is since the batch, and not of the present visit, which says so itself.
    """

    index: NDArray[np.int32]
    at_s: NDArray[np.int64]
    age_days: NDArray[np.float64]
    kind: NDArray[np.int64]
    signal: NDArray[np.int64]
    is_new: NDArray[np.bool_]

    @property
    def places(self) -> NDArray[np.int64]:
        """int64 [e]: an item and a second as one number."""
        return item_seconds(self.index, self.at_s)


@dataclass(frozen=True)
class RecentOccasions:
    """Baskets with an item, [b], oldest first.

    Attributes:
        index: int32, item indices; none is 0.
        age_days: float64, as of the request.
        batch_age_days: float64, as of the batch; negative for what came since.
        is_come: bool, whether it came since the batch and stands.
        is_gone: bool, whether the batch has it and it was taken back since.
        stands: bool, whether it stands.
    """

    index: NDArray[np.int32]
    age_days: NDArray[np.float64]
    batch_age_days: NDArray[np.float64]
    is_come: NDArray[np.bool_]
    is_gone: NDArray[np.bool_]
    stands: NDArray[np.bool_]


def item_seconds(index: NDArray[np.int32], at_s: NDArray[np.int64]) -> NDArray[np.int64]:
    """int64 [n]: an item and a second as one number."""
    return (index.astype(np.int64) << _AT_BITS) | at_s


def recent_touches(
    row: Mapping[str, Any], index: NDArray[np.int32], batch: BatchMoment, now_s: float, visit: NDArray[np.bool_]
) -> RecentTouches:
    """The touches of a row.

    Args:
        row: USER_RECENT.
        index: int32, the item indices of `recent_item_ids`, 0 for unknown items.
        batch: where the batch features stand.
        now_s: the moment of the request, UTC epoch seconds.
        visit: bool, which of them the present visit has too.
    """
    moved_at, kind, signal = (np.asarray(row[name], dtype=np.int64) for name in RECENT_TOUCHES[1:4])
    at_s = moved_at + (row[RECENT_MOVED] or 0)
    since = at_s >= batch.at_s
    # Rows of a newer version may have kinds that this one does not know.
    known = (index > 0) & (kind <= max(RecentKind))
    return RecentTouches(
        index=index[known],
        at_s=at_s[known],
        age_days=_ages(moved_at, at_s, since, batch, now_s)[known],
        kind=kind[known],
        signal=np.where(signal > len(SIGNAL_TYPES), VIEW_CODE, signal)[known],
        is_new=(since & ~visit)[known],
    )


def recent_occasions(row: Mapping[str, Any], index: NDArray[np.int32], batch: BatchMoment, now_s: float) -> RecentOccasions:
    """The occasions of a row.

    Args:
        row: USER_RECENT.
        index: int32, the item indices of `recent_bought_item_ids`, 0 for unknown items.
        batch: where the batch features stand.
        now_s: the moment of the request, UTC epoch seconds.
    """
    moved_s = row[RECENT_MOVED] or 0
    moved_at, until = (np.asarray(row[name], dtype=np.int64) for name in ("recent_bought_at", "recent_bought_until"))
    at_s = moved_at + moved_s
    since, stands, known = at_s >= batch.at_s, until == 0, index > 0
    return RecentOccasions(
        index=index[known],
        age_days=_ages(moved_at, at_s, since, batch, now_s)[known],
        batch_age_days=((batch.at_s - at_s) / DAY_S)[known],
        is_come=(since & stands)[known],
        is_gone=(~since & ~stands & (until + moved_s >= batch.at_s))[known],
        stands=stands[known],
    )


def of_visit(
    row: Mapping[str, Any], index: NDArray[np.int32], session_id: str | None, visit_index: NDArray[np.int32], visit_kinds: Sequence[str]
) -> NDArray[np.bool_]:
    """bool [e]: which of the row's touches the present visit has too, where both were read.

    The visit has the newest of what was done in it: of each item and kind so many as it has, from the newest on.

    Args:
        row: USER_RECENT.
        index: int32 [e], the item indices of `recent_item_ids`.
        session_id: of the visit.
        visit_index: int32 [v], its items.
        visit_kinds: event types, [at most v].
    """
    shared = np.zeros(len(index), dtype=bool)
    if session_id not in row["recent_visit_ids"] or not len(visit_kinds):
        return shared
    theirs = np.flatnonzero(np.asarray(row["recent_visits"], dtype=np.int64) == row["recent_visit_ids"].index(session_id))
    kinds = np.array([RECENT_KINDS.get(kind, 0) for kind in visit_kinds], dtype=np.int64)  # type: ignore[call-overload]
    has, count = np.unique(_item_kinds(visit_index[: len(kinds)], kinds), return_counts=True)
    mine = _item_kinds(index[theirs], np.asarray(row["recent_kinds"], dtype=np.int64)[theirs])[::-1]
    order = np.argsort(mine, kind="stable")
    first = np.flatnonzero(np.append(True, mine[order][1:] != mine[order][:-1])) if len(mine) else np.zeros(0, dtype=np.int64)
    newest_rank = np.empty(len(mine), dtype=np.int64)
    newest_rank[order] = np.arange(len(mine)) - np.repeat(first, np.diff(np.append(first, len(mine))))
    place = np.minimum(np.searchsorted(has, mine), len(has) - 1)
    shared[theirs] = ((has[place] == mine) & (newest_rank < count[place]))[::-1]
    return shared


def merged_history(
    index: NDArray[np.int32], age_days: NDArray[np.float64], signal: NDArray[np.int32], at_s: NDArray[np.int64], recent: RecentTouches
) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.int32]]:
    """Index, age and signal of the history with what came since: each item at its last touch, newest last.

    What was rated low since is gone. Where a purchase was taken back that was an item's last touch, the touch before it is there, if it is
    among the recent ones.

    Args:
        index, age_days, signal: of the batch, [h], newest last.
        at_s: int64 [h], their moments, UTC epoch seconds.
        recent: what was done lately.
    """
    stands = recent.signal > 0
    new, ends = stands & recent.is_new, recent.index[(recent.signal < 0) & recent.is_new]
    taken_back = _taken_back(item_seconds(index, at_s), signal, recent)
    chosen = np.flatnonzero(new)
    if taken_back.any():
        before = stands & ~recent.is_new & np.isin(recent.index, index[taken_back]) & ~np.isin(recent.index, ends)
        chosen = np.flatnonzero(new | before)
    items, last = np.unique(recent.index[chosen][::-1], return_index=True)
    chosen = chosen[np.sort(len(chosen) - 1 - last)]
    gone = places_in(items, index)[1] | taken_back
    if len(ends):
        gone |= np.isin(index, ends)
    merged = (
        np.concatenate([index[~gone], recent.index[chosen]]),
        np.concatenate([age_days[~gone], recent.age_days[chosen]]),
        np.concatenate([signal[~gone], recent.signal[chosen].astype(np.int32)]),
    )
    if not taken_back.any():
        return merged
    order = np.argsort(np.concatenate([at_s[~gone], recent.at_s[chosen]]), kind="stable")
    return merged[0][order], merged[1][order], merged[2][order]


def _taken_back(places: NDArray[np.int64], signal: NDArray[np.int32], recent: RecentTouches) -> NDArray[np.bool_]:
    """bool [h]: where the history has a purchase of which nothing is left.

    Args:
        places: int64 [h], of the history, `item_seconds`.
        signal: int32 [h].
        recent: what was done lately.
    """
    bought, stands = recent.kind == RecentKind.PURCHASE, recent.signal > 0
    ended = bought & ~stands & ~recent.is_new
    if not ended.any():
        return np.zeros(len(places), dtype=bool)
    is_ended: NDArray[np.bool_] = (signal == RecentKind.PURCHASE) & np.isin(places, recent.places[ended])
    is_ended &= ~np.isin(places, recent.places[bought & stands])
    return is_ended


def _ages(
    moved_at: NDArray[np.int64], at_s: NDArray[np.int64], since: NDArray[np.bool_], batch: BatchMoment, now_s: float
) -> NDArray[np.float64]:
    """Days: what came since by the times that were moved to the request's; what the batch has as all of the batch is aged."""
    of_now = np.maximum((now_s - moved_at) / DAY_S, 0.0)
    if since.all():
        return of_now
    return np.where(since, of_now, (batch.at_s - at_s) / DAY_S + batch.elapsed_days)


def _item_kinds(index: NDArray[np.int32], kind: NDArray[np.int64]) -> NDArray[np.int64]:
    return (index.astype(np.int64) << _KIND_BITS) | kind
